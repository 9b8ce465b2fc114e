#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/hdf5/file.h"

namespace kvscope::hdf5 {
namespace {

TEST(DimensionScales, LabelsAndScalesComeBackInTheirOrder) {
  const auto path = std::filesystem::path(testing::TempDir()) / "dimension_scales.h5";
  {
    File file = File::create(path);
    Group& root = file.root();
    const auto axis = [&](const std::string& name, const std::vector<int64_t>& values) {
      Dataset scale = root.create_dataset("axes/" + name, {.element = Element::kI64});
      scale.append_unflushed(values);
      scale.make_scale(name);
    };
    axis("step", {0, 0, 1});
    axis("key", {0, 1, 0});
    Dataset array = root.create_dataset("array", {.row_shape = {3}});
    array.append_unflushed(std::vector<float>(6, 1.0F));
    array.label_dimension(1, "step_key");
    array.attach_scale(1, root.dataset("axes/step"));
    array.attach_scale(1, root.dataset("axes/key"));
    root.create_dataset("plain", {}).append(std::vector<float>{1});
  }
  const File file = File::open(path, File::Access::kRead);
  const Dataset array = file.root().dataset("array");
  EXPECT_EQ(array.dimension_label(0), "");
  EXPECT_EQ(array.dimension_label(1), "step_key");
  EXPECT_TRUE(array.dimension_scales(0).empty());
  EXPECT_EQ(array.dimension_scales(1), (std::vector<std::string>{"/axes/step", "/axes/key"}));
  EXPECT_EQ(file.root().dataset("plain").dimension_label(0), "");
  EXPECT_TRUE(file.root().dataset("plain").dimension_scales(0).empty());
  EXPECT_THROW((void)array.dimension_label(2), Error);
  std::filesystem::remove(path);
}

TEST(DimensionScales, AReadOnlyFileTakesNone) {
  const auto path = std::filesystem::path(testing::TempDir()) / "dimension_scales_read.h5";
  File::create(path).root().create_dataset("a", {}).append(std::vector<float>{1});
  const File file = File::open(path, File::Access::kRead);
  Dataset dataset = file.root().dataset("a");
  EXPECT_THROW(dataset.make_scale("a"), Error);
  EXPECT_THROW(dataset.label_dimension(0, "a"), Error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kvscope::hdf5
