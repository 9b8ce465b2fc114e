#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "experiments/results/result_file.h"
#include "test_paths.h"
#include "tests/experiments/results/result_checks.h"

namespace kvscope {
namespace {

using std::filesystem::path;

/// Says of a file that it was written by the version before budgets and peaks were in it.
void make_first_version(const path& file) {
  hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kAppend);
  opened.root().set_attribute("schema_version", int64_t{1});
  opened.flush();
}

TEST(ResultFile, FilesOfTheFirstVersionAreReadWithoutWhatTheyLack) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 3);
  unseal(file);
  make_first_version(file);
  const ResultFile result = read_result(file);
  EXPECT_EQ(result.schema_version, 1);
  EXPECT_EQ(result.point.budget_tokens, 0);
  EXPECT_EQ(result.point.kept_tokens, 10);
  const ImageRow& row = result.rows.at(2);
  EXPECT_EQ(row.kv_peak_bytes, 4 << 20);
  EXPECT_EQ(row.kv_peak_planned_bytes, 0);
  EXPECT_EQ(row.allocator_peak_bytes, 0);
  EXPECT_TRUE(std::isnan(row.device_peak_bytes));
}

TEST(ResultFile, APartOfTheFirstVersionIsContinuedAsOneOfToday) {
  const path file = fresh_folder("a") / "result.h5";
  PointInfo point = sample_point("snapkv", 0.1, 2);
  point.budget_tokens = point.target_tokens = 0;  // nothing else tells the versions apart
  ResultWriter(file, point).append(sample_row(1));
  make_first_version(file.string() + ".part");
  ResultWriter writer(file, point);
  writer.append(sample_row(0));
  writer.finish();
  EXPECT_EQ(read_result(file).schema_version, 3);
  expect_same(read_result(file).rows.at(0), sample_row(0));
  EXPECT_EQ(read_result(file).rows.at(1).allocator_peak_bytes, 0);
}

/// Written before metrics were a registry, by `kvscope run` of a tiny model: snapkv, two images.
TEST(ResultFile, AFileOfThePreviousVersionIsRead) {
  const ResultFile result =
      read_result(path(kSourceDir) / "tests/golden/result_of_three_metrics.h5");
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.schema_version, 2);
  EXPECT_EQ(result.point.label("policy"), "snapkv");
  ASSERT_EQ(result.rows.size(), 2);
  EXPECT_TRUE(std::isinf(result.rows[0].metrics["psnr"]));
  EXPECT_EQ(result.rows[1].metrics["ssim"], 1);
  EXPECT_EQ(result.rows[0].metrics["shape_eval"], 1);
  EXPECT_EQ(result.rows[1].metrics["shape_eval"], 0);
  for (const Metric& metric : metrics()) {
    if (!metric.standard) {
      EXPECT_TRUE(std::isnan(result.rows[0].metrics[metric.name]));
    }
  }
}

TEST(ResultFile, DatasetsOfMetricsKeepTheirNamesAndUnits) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 1);
  const hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kRead);
  for (const char* name : {"metrics/psnr", "metrics/ssim", "metrics/shape_eval"}) {
    EXPECT_TRUE(opened.root().contains(name)) << name;
  }
  EXPECT_EQ(opened.root().dataset("metrics/psnr").attribute("units"),
            hdf5::AttributeValue(std::string("dB")));
}

/// Says of a file that it was written by the version before rows had check values.
void make_second_version(const path& file) {
  hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kAppend);
  opened.root().set_attribute("schema_version", int64_t{2});
  opened.flush();
}

/// Removes the column of a metric, as where the file is older than the metric.
void forget_metric(const path& file, const std::string& name) {
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Ldelete(id, ("metrics/" + name).c_str(), H5P_DEFAULT), 0);
  H5Fclose(id);
}

TEST(ResultFile, AFileOlderThanAMetricIsReadWithoutIt) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  const path part = file.string() + ".part";
  {
    ResultWriter writer(file, point);
    for (uint64_t i = 0; i < 3; ++i) writer.append(sample_row(i));
  }
  make_second_version(part);
  forget_metric(part, "ssim");
  const ResultFile result = read_result(part);
  EXPECT_TRUE(std::isnan(result.rows.at(0).metrics["ssim"]));
  EXPECT_EQ(result.rows.at(0).metrics["psnr"], 20);
}

TEST(ResultFile, APartOlderThanAMetricIsContinuedWithIt) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 2);
  ResultWriter(file, point).append(sample_row(1));
  make_second_version(file.string() + ".part");
  forget_metric(file.string() + ".part", "ssim");
  ResultWriter writer(file, point);
  writer.append(sample_row(0));
  writer.finish();
  const ResultFile result = read_result(file);
  expect_same(result.rows.at(0), sample_row(0));
  EXPECT_TRUE(std::isnan(result.rows.at(1).metrics["ssim"]));
}

}  // namespace
}  // namespace kvscope
