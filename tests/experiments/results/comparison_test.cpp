// Policies against budgets: the layout of the tables and paired differences, on points made by
// hand.
#include "experiments/results/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const Table table = difference_by_budget(by_model(sweep()).front(), ssim(), "h2o");
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
  const Table table = difference_by_budget(by_model(sweep()).front(), ssim(), "full");
  EXPECT_NEAR(value_of(table.rows[1].cells[1]), -0.2, 1e-12);
  EXPECT_NEAR(value_of(table.rows[1].cells[2]), -(0.9 + 0.6 + 0.8) / 3, 1e-12);
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

}  // namespace
}  // namespace kvscope
