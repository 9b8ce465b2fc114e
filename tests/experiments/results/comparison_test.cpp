// Policies against budgets: the layout of the tables and paired differences, on points made by
// hand.
#include "experiments/results/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

PointSummary point(const std::string& model,
                   const std::string& policy,
                   double ratio,
                   const std::vector<double>& ssim) {
  PointSummary summary;
  PointInfo& info = summary.result.point;
  info.labels = {{"model", model}, {"policy", policy}, {"budget", std::to_string(ratio)}};
  info.full_cache = policy == "full";
  info.kept_tokens = 100 * ratio;
  summary.settings = point_settings(info);
  for (size_t i = 0; i < ssim.size(); ++i) {
    ImageRow row;
    row.prompt_id = i;
    row.seed = 7 + i;
    row.metrics["ssim"] = ssim[i];
    summary.result.rows.push_back(row);
  }
  summary.metrics["ssim"] = {
      .value = ssim.front(), .low = ssim.front() - 0.1, .high = ssim.front() + 0.1};
  return summary;
}

SweepSummary sweep() {
  return {
      .folder = "unused",
      .points = {point("a", "full", 1.0, {1, 1, 1}), point("a", "h2o", 0.1, {0.1, 0.4, 0.2}),
                 point("a", "h2o", 0.5, {0.8, 0.8, 0.8}), point("a", "tova", 0.5, {0.6, 0.7, NAN}),
                 point("b", "tova", 0.5, {0.1, 0.2, 0.3})}};
}

const Metric& ssim() {
  return metric_named("ssim");
}

double value_of(const TableCell& cell) {
  return std::get<TableNumber>(cell.content).value;
}

TEST(ByModel, KeepsOrderAndLeavesNothingOut) {
  const auto models = by_model(sweep());
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].points.size(), 4u);
  EXPECT_EQ(models[1].points.front().point().label("model"), "b");
}

TEST(MetricByBudget, HasARowAPolicyAndAColumnABudgetTheLargestFirst) {
  const Table table = metric_by_budget(by_model(sweep()).front(), ssim());
  ASSERT_EQ(table.columns.size(), 3u);
  EXPECT_EQ(table.columns[1].header, std::to_string(0.5));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_TRUE(table.rows[0].reference);
  EXPECT_DOUBLE_EQ(value_of(table.rows[0].cells[2]), 1.0);  // the full cache under every budget
  EXPECT_DOUBLE_EQ(value_of(table.rows[1].cells[1]), 0.8);
  EXPECT_DOUBLE_EQ(value_of(table.rows[1].cells[2]), 0.1);
  EXPECT_TRUE(std::holds_alternative<TableMissing>(table.rows[2].cells[2].content));
  EXPECT_EQ(table.provenance.size(), 4u);
}

TEST(DifferenceByBudget, IsTheMeanOverPairedImages) {
  const Table table =
      difference_by_budget(by_model(sweep()).front(), ssim(), "h2o", {.interval = "t"}).table;
  // Of tova's images the third has no value; the others differ by -0.2 and -0.1.
  const auto& cell = std::get<TableNumber>(table.rows[2].cells[1].content);
  EXPECT_NEAR(cell.value, -0.15, 1e-12);
  EXPECT_NEAR(cell.half_width, 12.706204736 * 0.05, 1e-6);  // t(1) * s / sqrt(2), s = 0.1 / sqrt(2)
  EXPECT_NEAR(value_of(table.rows[0].cells[2]), (0.9 + 0.6 + 0.8) / 3, 1e-12);
  const auto& own = std::get<TableMissing>(table.rows[1].cells[1].content);
  EXPECT_EQ(own.reason, "the one compared with");
  EXPECT_TRUE(std::holds_alternative<TableMissing>(table.rows[2].cells[2].content));
}

TEST(DifferenceByBudget, ToTheFullCacheCompareAllBudgets) {
  const Table table = difference_by_budget(by_model(sweep()).front(), ssim(), "full").table;
  EXPECT_NEAR(value_of(table.rows[1].cells[1]), -0.2, 1e-12);
  EXPECT_NEAR(value_of(table.rows[1].cells[2]), -(0.9 + 0.6 + 0.8) / 3, 1e-12);
}

TEST(DifferenceByBudget, IsTestedARowACell) {
  const Differences found = difference_by_budget(by_model(sweep()).front(), ssim(), "h2o");
  ASSERT_TRUE(found.tests);
  const Table& tests = *found.tests;
  // The full cache at two budgets, and tova at one of them.
  ASSERT_EQ(tests.rows.size(), 3u);
  EXPECT_EQ(std::get<std::string>(tests.rows[2].cells[0].content), "tova");
  EXPECT_EQ(value_of(tests.rows[2].cells[2]), 2);               // pairs
  EXPECT_NEAR(value_of(tests.rows[2].cells[3]), 0.65, 1e-12);   // its mean over them
  EXPECT_NEAR(value_of(tests.rows[2].cells[4]), 0.8, 1e-12);    // h2o's
  EXPECT_NEAR(value_of(tests.rows[2].cells[5]), -0.15, 1e-12);  // difference
  EXPECT_NEAR(value_of(tests.rows[2].cells[6]), -0.15 / std::sqrt(0.005), 1e-9);  // d_z
  EXPECT_DOUBLE_EQ(value_of(tests.rows[2].cells[7]), 0.5);  // 2 of 4 choices of signs
  // Of three pairs that all go one way 2 of 8. The differences at 50 % are all 0.2: no d_z.
  EXPECT_DOUBLE_EQ(value_of(tests.rows[1].cells[7]), 0.25);
  for (const TableRow& row : tests.rows) {
    EXPECT_DOUBLE_EQ(value_of(row.cells[8]), std::min(1.0, 0.25 * 3));  // Holm
  }
  EXPECT_THAT(tests.notes, testing::Contains(testing::HasSubstr("over the 3 tests")));
  EXPECT_THAT(tests.notes, testing::Contains(testing::HasSubstr("3 of 3 rows have fewer than 20")));
}

TEST(DifferenceByBudget, NamesTheNearestPolicyOnce) {
  try {
    difference_by_budget(by_model(sweep()).front(), ssim(), "h20");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("'h2o'"));
    EXPECT_THAT(error.what(), testing::HasSubstr("full, h2o, tova."));
  }
}

/// The point as of another setting of gen, with images of that base seed.
PointSummary of_setting(PointSummary summary, const std::string& gen, uint64_t seed) {
  summary.result.point.config_yaml = "gen: {" + gen + "}";
  summary.settings = point_settings(summary.point());
  for (ImageRow& row : summary.result.rows) row.seed += 1000 * seed;
  return summary;
}

TEST(DifferenceByBudget, PairsPointsOfTheSameSeed) {
  SweepSummary seeds{.folder = "unused"};
  for (const uint64_t seed : {0, 1}) {
    const std::string gen = "seed: " + std::to_string(seed);
    const double shift = seed == 0 ? 0 : 0.1;
    seeds.points.push_back(of_setting(point("a", "h2o", 0.5, {0.2, 0.4}), gen, seed));
    seeds.points.push_back(
        of_setting(point("a", "tova", 0.5, {0.3 + shift, 0.5 + shift}), gen, seed));
  }
  const Differences found = difference_by_budget(seeds, ssim(), "h2o");
  ASSERT_EQ(found.table.rows.size(), 4u);
  EXPECT_EQ(std::get<std::string>(found.table.rows[3].cells[0].content), "tova, seed 1");
  EXPECT_NEAR(value_of(found.table.rows[1].cells[1]), 0.1, 1e-12);
  EXPECT_NEAR(value_of(found.table.rows[3].cells[1]), 0.2, 1e-12);
  for (const size_t row : {0u, 2u}) {
    EXPECT_EQ(std::get<TableMissing>(found.table.rows[row].cells[1].content).reason,
              "the one compared with");
  }
  EXPECT_THAT(found.notes, testing::IsEmpty());
}

TEST(DifferenceByBudget, OtherSettingsAreNoPartnersAndAreNamed) {
  const SweepSummary taus{.folder = "unused",
                          .points = {of_setting(point("a", "h2o", 0.5, {0.2}), "tau: 1", 0),
                                     of_setting(point("a", "tova", 0.5, {0.3}), "tau: 1", 0),
                                     of_setting(point("a", "tova", 0.5, {0.4}), "tau: 0.5", 0)}};
  const Differences found = difference_by_budget(taus, ssim(), "h2o");
  EXPECT_NEAR(value_of(found.table.rows[1].cells[1]), 0.1, 1e-12);
  EXPECT_EQ(std::get<TableMissing>(found.table.rows[2].cells[1].content).reason,
            "h2o has no point of this budget, tau 0.5");
  EXPECT_THAT(found.notes,
              testing::ElementsAre(testing::HasSubstr("1 of 3 points have no partner in some "
                                                      "column: tova 0.500000, tau 0.5")));
}

TEST(DifferenceByBudget, ImagesWithoutAPartnerAreCounted) {
  SweepSummary sweep{
      .folder = "unused",
      .points = {point("a", "h2o", 0.5, {0.2, 0.4, 0.4}), point("a", "tova", 0.5, {0.3, 0.5})}};
  sweep.points[1].result.rows[1].prompt = "another text under the same number";
  const Differences found = difference_by_budget(sweep, ssim(), "h2o");
  EXPECT_NEAR(value_of(found.table.rows[1].cells[1]), 0.1, 1e-12);
  EXPECT_THAT(found.notes, testing::ElementsAre(testing::HasSubstr("tova 0.500000: 1 of 2"),
                                                testing::HasSubstr("h2o 0.500000: 2 of 3")));
}

TEST(DifferenceByBudget, OneOfSeveralPointsOfAPolicyIsChosenByItsOption) {
  SweepSummary sweep{.folder = "unused",
                     .points = {point("a", "h2o", 0.5, {0.2}), point("a", "h2o", 0.5, {0.3}),
                                point("a", "tova", 0.5, {0.6})}};
  for (size_t i = 0; i < 2; ++i) {
    sweep.points[i].settings["policy.score.window"] = i == 0 ? "8" : "16";
  }
  const Differences unclear = difference_by_budget(sweep, ssim(), "h2o");
  EXPECT_THAT(std::get<TableMissing>(unclear.table.rows[2].cells[1].content).reason,
              testing::HasSubstr("--against 'h2o, window 16'"));
  const Differences chosen = difference_by_budget(sweep, ssim(), "h2o, window 16");
  EXPECT_NEAR(value_of(chosen.table.rows[2].cells[1]), 0.3, 1e-12);
  EXPECT_NEAR(value_of(chosen.table.rows[0].cells[1]), -0.1, 1e-12);
}

}  // namespace
}  // namespace kvscope
