#include "experiments/ablation/ablation_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "experiments/ablation/ablation_figures.h"
#include "experiments/ablation/role_comparison.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A full cache and things hidden from it, with a metric of each image.
struct Made {
  std::vector<Point> points{};
  SweepSummary sweep{};

  void add(const std::string& hash, const std::string& metric, const std::vector<double>& values) {
    Point point;
    point.hash = hash;
    point.facts.name = "toy";
    points.push_back(point);
    PointSummary summary;
    summary.result.point.point_hash = hash;
    summary.result.point.full_cache = points.size() == 1;
    std::vector<double> present;
    for (size_t i = 0; i < values.size(); ++i) {
      ImageRow row;
      row.image_index = i;
      row.metrics[metric] = values[i];
      summary.result.rows.push_back(row);
      if (!std::isnan(values[i])) present.push_back(values[i]);
    }
    if (present.empty()) {
      summary.metrics[metric].missing = "nothing to compare with";
    } else {
      summary.metrics[metric] = measured_of(metric_named(metric).summarise(present), "undefined");
    }
    sweep.points.push_back(summary);
  }
};

Ablation three_layers() {
  return {"layer",
          {.layers = 3, .heads = 2, .head_dim = 4, .steps = next_scale_steps({{1, 1}, {2, 2}})}};
}

TEST(AblationResult, DifferencesArePairedByImage) {
  Made made;
  made.add("full", "shape_eval", {1, 1, 0, 1});
  made.add("a", "shape_eval", {1, 1, 0, 1});
  made.add("b", "shape_eval", {0, 1, 1, 0});
  made.add("c", "shape_eval", {0, 0, 0, 0});
  const AblationResult result =
      ablation_result(three_layers(), made.points, made.sweep, metric_named("shape_eval"));
  EXPECT_EQ(result.reference.value, 0.75);
  EXPECT_EQ(result.effects[0].difference.estimate, 0);
  EXPECT_EQ(result.effects[1].difference.estimate, -0.25);
  EXPECT_EQ(result.effects[2].difference.estimate, -0.75);
  // Student's interval of -1, -1, 0, -1, by hand: s^2 = 0.25, t(3) = 3.182446.
  EXPECT_EQ(result.effects[2].difference.low, -1) << "not beyond what it can be";
  EXPECT_NEAR(result.effects[2].difference.high, -0.75 + 3.182446305284263 * 0.25, 1e-9);
  EXPECT_THAT(result.effects[1].losses, testing::ElementsAre(1, 0, -1, 1));
}

TEST(AblationResult, AMetricOfPairsIsComparedWithThatOfEqualImages) {
  const double nan = std::nan("");
  Made made;
  made.add("full", "ssim", {nan, nan});
  made.add("a", "ssim", {1, 1});
  made.add("b", "ssim", {0.5, 0.75});
  made.add("c", "ssim", {0.25, 1});
  const AblationResult result =
      ablation_result(three_layers(), made.points, made.sweep, metric_named("ssim"));
  EXPECT_FALSE(result.reference.present());
  EXPECT_EQ(result.effects[0].difference.estimate, 0);
  EXPECT_EQ(result.effects[1].difference.estimate, -0.375);
  // Image 0 ranks a, b, c; image 1 has a and c alike.
  EXPECT_THAT(mean_loss_ranks(result), testing::ElementsAre(1.25, 2.5, 2.25));
  const Table table = ablation_table(result);
  ASSERT_EQ(table.rows.size(), 4);
  EXPECT_EQ(table.columns[2].header, "difference to nothing hidden");
}

TEST(AblationResult, AnImageThatNothingChangedCountsInTheRanksOfPsnr) {
  const double nan = std::nan("");
  Made made;
  made.add("full", "psnr", {nan, nan});
  made.add("a", "psnr", {kInfinity, kInfinity});
  made.add("b", "psnr", {kInfinity, 10});
  made.add("c", "psnr", {30, 20});
  const AblationResult result =
      ablation_result(three_layers(), made.points, made.sweep, metric_named("psnr"));
  EXPECT_THAT(mean_loss_ranks(result), testing::ElementsAre(1.25, 2.25, 2.5))
      << "by the means over changed images, b with its 10 dB would be the worst";
  EXPECT_TRUE(std::isnan(result.effects[2].difference.estimate)) << "a PSNR is itself a difference";
  const Table table = ablation_table(result);
  EXPECT_EQ(table.columns[2].header, "identical images");
  EXPECT_EQ(ablation_chart(result).series.front().points.size(), 3);
}

TEST(AblationResult, WhatHidesNothingHasNoPoint) {
  const CacheGeometry geometry{
      .layers = 3, .heads = 2, .head_dim = 4, .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}})};
  Made made;
  made.add("full", "ssim", {std::nan("")});
  for (const auto& [hash, ssim] : {std::pair("0 1", 0.1), {"0 2", 0.2}, {"1 2", 0.4}}) {
    made.add(hash, "ssim", {ssim});
  }
  const AblationResult result = ablation_result(Ablation("scale,step", geometry), made.points,
                                                made.sweep, metric_named("ssim"));
  ASSERT_EQ(result.effects.size(), 4);
  EXPECT_EQ(result.effects[1].measured.value, 0.2);
  EXPECT_FALSE(result.effects[2].measured.present()) << "scale 1 and step 1";
  EXPECT_EQ(result.effects[3].measured.value, 0.4);
  EXPECT_THAT(result.effects[3].losses, testing::ElementsAre(testing::DoubleNear(0.6, 1e-12)));
  const Heatmap map = ablation_map(result);
  EXPECT_TRUE(std::isnan(map.values[2]));
  EXPECT_EQ(map.column_axis, "step from which it is hidden");
  EXPECT_EQ(ablation_table(result).rows.size(), 4) << "nothing, and three things";
}

TEST(AblationResult, AMissingPointLeavesNoRanks) {
  Made made;
  made.add("full", "ssim", {std::nan("")});
  made.add("a", "ssim", {1});
  made.add("b", "ssim", {0.5});
  made.add("c", "ssim", {0.25});
  made.sweep.points.erase(made.sweep.points.begin() + 2);
  const AblationResult result =
      ablation_result(three_layers(), made.points, made.sweep, metric_named("ssim"));
  EXPECT_EQ(result.effects[1].measured.missing, "failed");
  EXPECT_THAT(mean_loss_ranks(result), testing::IsEmpty());
  EXPECT_THROW(role_comparison(result, {}), Error);
}

/// An ablation over the run's geometry, everything hidden as bad as `loss` says.
AblationResult made_up(const Ablation& ablation, const std::vector<double>& loss) {
  AblationResult result{.ablation = ablation, .metric = metric_named("psnr"), .model = "toy"};
  for (const double one : loss) {
    HiddenEffect effect;
    effect.measured.value = -one;
    effect.losses = {one};
    result.effects.push_back(effect);
  }
  return result;
}

TEST(RoleComparison, FindsTheSelectivityThatDecidesTheLoss) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  const AttentionRecord record = recorder.record();
  const CacheGeometry geometry{
      .layers = run.layers, .heads = run.heads, .head_dim = run.head_dim, .steps = run.steps};
  const Ablation ablation("layer,step", geometry);
  const std::vector<AttentionFinding> findings = attention_findings(ablation, record, 0, {});
  ASSERT_EQ(findings.size(), 4);
  const std::vector<double> selectivity = attention_selectivity(record);
  const LayerRoles roles = layer_roles(record);
  std::vector<double> loss;
  double drafters = 0;
  for (int64_t layer = 0; layer < run.layers; ++layer) {
    for (int64_t step = 1; step < 4; ++step) {
      const auto pair = static_cast<size_t>(layer * 4 + step);
      const auto thing = static_cast<size_t>(layer * 3 + step - 1);
      EXPECT_EQ(findings[0].values[thing], selectivity[pair]);
      EXPECT_EQ(findings[1].values[thing], roles.z_score[pair]);
      drafters += findings[2].values[thing];
      double history = 0;
      for (int64_t head = 0; head < run.heads; ++head) {
        history += 1 - record.array("mass.step").at(layer, head, step, step);
      }
      EXPECT_NEAR(findings[3].values[thing], history / static_cast<double>(run.heads), 1e-6);
      loss.push_back(-selectivity[pair]);
    }
  }
  EXPECT_EQ(drafters, static_cast<double>(roles.drafters));
  const RoleComparison comparison = role_comparison(made_up(ablation, loss), findings);
  const auto& rho = std::get<TableNumber>(comparison.correlations.rows[0].cells[1].content);
  EXPECT_NEAR(rho.value, -1, 1e-12);
  EXPECT_EQ(comparison.correlations.columns[3].header, "rho within a step");
  const auto& within = std::get<TableNumber>(comparison.correlations.rows[1].cells[3].content);
  EXPECT_NEAR(within.value, -1, 1e-12) << "Z-scores have the order of ASI within a step";
  EXPECT_EQ(comparison.things.rows.size(), loss.size());
}

TEST(RoleComparison, OfScalesTheFirstHasNoSelectivityButReceivesAttention) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  const AttentionRecord record = recorder.record();
  const CacheGeometry geometry{
      .layers = run.layers, .heads = run.heads, .head_dim = run.head_dim, .steps = run.steps};
  const auto findings = attention_findings(Ablation("layer,scale", geometry), record, 0, {});
  EXPECT_TRUE(std::isnan(findings[0].values[0]));
  EXPECT_EQ(findings[0].values[1], attention_selectivity(record)[1]);
  double received = 0;  // of scale 0 in layer 0
  for (int64_t head = 0; head < run.heads; ++head) {
    for (int64_t step = 1; step < 4; ++step) {
      received += record.array("mass.step").at(int64_t{0}, head, step, int64_t{0});
    }
  }
  EXPECT_NEAR(findings[3].values[0], received / static_cast<double>(3 * run.heads), 1e-12);
  EXPECT_THROW(attention_findings(Ablation("step", geometry), record, 0, {}), Error);
}

TEST(RoleComparison, OfHeadsIsTheTypeThatTheRecordHas) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  const AttentionRecord record = recorder.record();
  const CacheGeometry geometry{
      .layers = run.layers, .heads = run.heads, .head_dim = run.head_dim, .steps = run.steps};
  const auto findings = attention_findings(Ablation("layer,head", geometry), record, 0, {});
  ASSERT_EQ(findings.size(), 2);
  EXPECT_EQ(findings[0].name, "variance");
  EXPECT_EQ(findings[0].values, head_variance(record));
}

}  // namespace
}  // namespace kvscope
