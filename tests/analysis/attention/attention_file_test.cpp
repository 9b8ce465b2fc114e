#include "analysis/attention/attention_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "analysis/attention/selectivity.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

path file_of_test(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const path folder = path(testing::TempDir()) / (std::string("kvscope_attention_") + test->name());
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / name);
  return folder / name;
}

AttentionRecord sample_record() {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .top_keys = 3, .raw_heads = {{1, 2}}});
  recorder.add_prompts({"a réd circle", ""});
  run.generate(recorder, 3);
  AttentionRecord record = recorder.record();
  record.model = "toy";
  record.point_hash = "0123456789abcdef";
  return record;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(AttentionFile, GivesTheRecordBack) {
  const path file = file_of_test("attention.h5");
  const AttentionRecord record = sample_record();
  write_attention(file, record);
  const AttentionRecord read = read_attention(file);
  EXPECT_EQ(read.model, record.model);
  EXPECT_EQ(read.point_hash, record.point_hash);
  EXPECT_EQ(read.prompts, record.prompts);
  EXPECT_EQ(read.steps, record.steps);
  EXPECT_EQ(read.images, 2);
  EXPECT_EQ(read.top_keys, 3);
  EXPECT_EQ(read.sampled_queries, record.sampled_queries);
  expect_near(read.step_mass, record.step_mass, 1e-6);
  expect_near(read.step_mass_variance, record.step_mass_variance, 1e-6);
  expect_near(read.history_top_mass, record.history_top_mass, 1e-6);
  EXPECT_EQ(read.window_queries, 32);
  expect_near(read.window_entropy, record.window_entropy, 1e-4);
  expect_near(read.window_variance, record.window_variance, 1e-6);
  ASSERT_EQ(read.key_mass.size(), record.key_mass.size());
  for (size_t step = 0; step < read.key_mass.size(); ++step) {
    expect_near(read.key_mass[step], record.key_mass[step], 0.01);  // half precision of up to 25
  }
  ASSERT_EQ(read.raw.size(), record.raw.size());
  for (size_t i = 0; i < read.raw.size(); ++i) {
    EXPECT_EQ(read.raw[i].step, record.raw[i].step);
    EXPECT_EQ(read.raw[i].layer, 1);
    EXPECT_EQ(read.raw[i].head, 2);
    EXPECT_EQ(read.raw[i].queries, record.raw[i].queries);
    EXPECT_THAT(read.raw[i].rows,
                testing::Pointwise(testing::FloatNear(5e-4F), record.raw[i].rows));
  }
  EXPECT_EQ(layer_roles(read, 2).role, layer_roles(record, 2).role);
}

std::string input_error(const path& file) {
  try {
    read_attention(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(AttentionFile, DamagedAndForeignFilesAreNamed) {
  const path good = file_of_test("good.h5");
  write_attention(good, sample_record());
  const path bad = file_of_test("bad.h5");
  EXPECT_THAT(input_error(bad), HasSubstr("bad.h5"));
  std::ofstream(bad) << "not HDF5";
  EXPECT_THAT(input_error(bad), HasSubstr("bad.h5"));
  const auto whole = std::filesystem::file_size(good);
  for (const auto bytes : {whole - 1, whole / 2, whole / 7, uintmax_t{96}}) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(bad, bytes);
    EXPECT_THAT(input_error(bad), HasSubstr("bad.h5")) << bytes;
  }
  const auto changed = [&](const std::function<void(hdf5::Group&)>& change) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    {
      hdf5::File file = hdf5::File::open(bad, hdf5::File::Access::kAppend);
      change(file.root());
    }
    return input_error(bad);
  };
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("schema", std::string("x")); }),
              HasSubstr("schema 'x'"));
  EXPECT_THAT(
      changed([](auto& root) { root.dataset("axes/head").append(std::vector<int64_t>{3}); }),
      HasSubstr("expected [3, 4, 4, 4]"));
  EXPECT_THAT(
      changed([](auto& root) { root.dataset("axes/scale_h").append(std::vector<int64_t>{3}); }),
      HasSubstr("scale_h"));
  EXPECT_THAT(
      changed([](auto& root) { root.create_dataset("raw/s09/l00_h00", {.row_shape = {4}}); }),
      HasSubstr("s09"));
}

TEST(AttentionFile, ArrayThatClaimsMoreThanTheFileHoldsIsNotBelieved) {
  const path file = file_of_test("attention.h5");
  write_attention(file, sample_record());
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t axis = H5Dopen2(id, "axes/layer", H5P_DEFAULT);
  const hsize_t rows = hsize_t{1} << 60;
  EXPECT_GE(H5Dset_extent(axis, &rows), 0);
  H5Dclose(axis);
  H5Fclose(id);
  EXPECT_THAT(input_error(file), HasSubstr("claims"));
}

}  // namespace
}  // namespace kvscope
