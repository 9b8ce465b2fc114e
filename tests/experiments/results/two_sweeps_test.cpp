// Two sweeps, or two points, side by side.
#include "experiments/results/two_sweeps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "analysis/metrics/registry.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::Contains;
using testing::HasSubstr;

PointSummary point(const std::string& policy, const std::string& gen, double value) {
  PointSummary summary;
  summary.result.point = sample_point(policy, policy == "full" ? 1.0 : 0.1, 3);
  summary.result.point.config_yaml = "gen: {" + gen + "}";
  summary.settings = point_settings(summary.point());
  for (uint64_t i = 0; i < 3; ++i) {
    ImageRow row = sample_row(i);
    row.metrics["ssim"] = value + 0.1 * static_cast<double>(i);
    summary.result.rows.push_back(row);
  }
  return summary;
}

double number(const Table& table, size_t row, size_t column) {
  return std::get<TableNumber>(table.rows.at(row).cells.at(column).content).value;
}

TEST(TwoSweeps, PointsOfTheSameSettingsAreCompared) {
  const SweepSummary first{.folder = "first",
                           .points = {point("full", "tau: 1", 0.9), point("h2o", "tau: 1", 0.5),
                                      point("h2o", "tau: 2", 0.3)}};
  const SweepSummary second{.folder = "second",
                            .points = {point("h2o", "tau: 2", 0.4), point("h2o", "tau: 1", 0.7)}};
  const SweepDifferences found = difference_of_sweeps(first, second, metric_named("ssim"));
  ASSERT_TRUE(found.table);
  ASSERT_EQ(found.table->rows.size(), 2u);
  EXPECT_NEAR(number(*found.table, 0, 4), 0.2, 1e-12);  // second less first, tau 1
  EXPECT_NEAR(number(*found.table, 1, 4), 0.1, 1e-12);
  EXPECT_THAT(found.notes, Contains(HasSubstr("1 of 3 points of first have no partner")));
}

TEST(TwoSweeps, TheOnlyPointOfItsNameIsComparedAndSaid) {
  const SweepSummary first{.folder = "first",
                           .points = {point("full", "tau: 1", 0.9), point("h2o", "tau: 1", 0.5)}};
  const SweepSummary second{.folder = "second",
                            .points = {point("full", "tau: 1", 0.9), point("h2o", "tau: 2", 0.4)}};
  const auto matched = matched_points(first, second);
  ASSERT_EQ(matched.size(), 2u);
  EXPECT_TRUE(matched[0].differing.empty());
  EXPECT_THAT(matched[1].differing, testing::ElementsAre("gen.tau 1, 2"));
  const SweepDifferences found = difference_of_sweeps(first, second, metric_named("ssim"));
  EXPECT_THAT(found.notes, Contains(HasSubstr("settings differ: gen.tau 1, 2")));
}

TEST(TwoSweeps, SinglePointsAlwaysMatchAndAreBothNamed) {
  const SweepSummary first{.folder = "first", .points = {point("full", "tau: 1", 0.9)}};
  const SweepSummary second{.folder = "second", .points = {point("h2o", "tau: 2", 0.4)}};
  EXPECT_EQ(matched_points(first, second).size(), 1u);
  const SweepDifferences found = difference_of_sweeps(first, second, metric_named("ssim"));
  ASSERT_TRUE(found.table);
  EXPECT_THAT(found.table->title,
              HasSubstr("difference of h2o 10 %, tau 2 (second) to full, tau 1 (first)"));
  EXPECT_EQ(std::get<std::string>(found.table->rows.at(0).cells.at(0).content),
            "h2o 10 %, tau 2 less full, tau 1");
}

TEST(TwoSweeps, APointOfAFolderIsReadAlone) {
  const auto sweep = fresh_folder("sweep");
  const auto full = write_sample_point(sweep, sample_point("full", 1, 2), 9);
  write_sample_point(sweep, sample_point("h2o", 0.1, 2), 12);
  EXPECT_EQ(summarise_sweep_or_point(sweep).points.size(), 2u);
  const SweepSummary one = summarise_sweep_or_point(full);
  ASSERT_EQ(one.points.size(), 1u);
  EXPECT_TRUE(one.points.front().point().full_cache);
  EXPECT_EQ(one.folder, full);
}

}  // namespace
}  // namespace kvscope
