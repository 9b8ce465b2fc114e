#include "experiments/results/metric_origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/base/error.h"
#include "experiments/results/stored_sets.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

const MetricOrigin kOne{.implementation = "clip, cosine",
                        .inputs = {{"weights.clip", "abc"}, {"clip.activation", "gelu"}}};

TEST(MetricOrigins, StayInAResultFile) {
  const std::filesystem::path folder = fresh_folder("origins");
  PointInfo point = sample_point("snapkv", 0.1, 1);
  point.metric_origins = {{"clip_cosine", kOne}};
  ResultWriter writer(folder / "result.h5", point);
  writer.append(sample_row(0));
  writer.finish();
  EXPECT_EQ(read_result(folder / "result.h5").point.metric_origins, point.metric_origins);
  EXPECT_THROW(origins_from_json("[1]", "x.h5"), Error);
  EXPECT_THROW(origins_from_json("{\"a\": {}}", "x.h5"), Error);
}

TEST(MetricOrigins, OfOtherOriginAreForgottenAndNoOthers) {
  std::vector<ImageRow> rows = {sample_row(0), sample_row(1)};
  for (ImageRow& row : rows) {
    row.metrics["clip_cosine"] = 0.25;
    row.metrics["psnr"] = 20;
  }
  const auto kept = [&](const MetricOrigins& stored, const MetricOrigins& wanted) {
    std::vector<ImageRow> copies = rows;
    forget_other_origins(copies, stored, wanted);
    EXPECT_EQ(copies[1].metrics["psnr"], 20);
    return !std::isnan(copies[1].metrics["clip_cosine"]);
  };
  MetricOrigin other = kOne;
  other.inputs["weights.clip"] = "def";
  EXPECT_TRUE(kept({{"clip_cosine", kOne}}, {{"clip_cosine", kOne}}));
  EXPECT_TRUE(kept({{"clip_cosine", kOne}}, {}));
  EXPECT_FALSE(kept({{"clip_cosine", kOne}}, {{"clip_cosine", other}}));
  EXPECT_FALSE(kept({}, {{"clip_cosine", other}}));
}

TEST(StoredSets, AreReadAgainUntilTheFileIsDamaged) {
  const std::filesystem::path folder = fresh_folder("sets");
  EXPECT_FALSE(stored_set(folder, "fid_clean"));
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  store_set(folder, "fid_clean",
            {.origin = kOne, .images = "i", .summary = {.interval = {1.5, kNone, kNone}}});
  store_set(folder, "kid_clean",
            {.origin = kOne, .images = "i", .summary = {.interval = {0.5, 0, 1}, .left_out = 2}});
  const auto first = stored_set(folder, "fid_clean");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->origin, kOne);
  EXPECT_EQ(first->summary.interval.estimate, 1.5);
  EXPECT_TRUE(std::isnan(first->summary.interval.low));
  EXPECT_EQ(stored_set(folder, "kid_clean")->summary.left_out, 2);
  std::ofstream(folder / "set_metrics.json") << "{";
  EXPECT_FALSE(stored_set(folder, "kid_clean"));
}

}  // namespace
}  // namespace kvscope
