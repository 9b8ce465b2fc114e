#include "experiments/training/loss_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hdf5/dataset.h"
#include "core/hdf5/file.h"

namespace kvscope {
namespace {

TEST(LossCurve, AResumedTrainingReplacesTheStepsItRepeats) {
  const auto path = std::filesystem::path(testing::TempDir()) / "loss_curve_resumed.h5";
  std::filesystem::remove(path);
  {
    LossCurve curve(path);
    curve.append({.step = 50, .loss = 3});
    curve.append({.step = 100, .loss = 2});
  }
  LossCurve curve(path);
  curve.append({.step = 100, .loss = 2.5});
  curve.append({.step = 150, .loss = 1, .images_per_second = 7, .gradient_norm = 0.25});
  const hdf5::File file = hdf5::File::open(path, hdf5::File::Access::kRead);
  EXPECT_THAT(file.root().dataset("step").read<double>(), testing::ElementsAre(50, 100, 150));
  EXPECT_THAT(file.root().dataset("loss").read<double>(), testing::ElementsAre(3, 2.5, 1));
  EXPECT_EQ(file.root().dataset("gradient_norm").read<double>().back(), 0.25);
}

TEST(LossCurve, IsDrawnBesideTheFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "loss_curve_drawn.h5";
  LossCurve curve(path);
  curve.append({.step = 50, .loss = 3});
  curve.append({.step = 100, .loss = 2});
  curve.draw("transformer");
  for (const char* kind : {".svg", ".png"}) {
    EXPECT_GT(std::filesystem::file_size(std::filesystem::path(path).replace_extension(kind)),
              100u);
  }
}

}  // namespace
}  // namespace kvscope
