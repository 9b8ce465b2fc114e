// What rows, lines and columns of points are called, from their resolved configs.
#include "experiments/results/point_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "experiments/commands/results/sweep_figures.h"
#include "experiments/results/comparison.h"
#include "experiments/results/point_filter.h"
#include "experiments/results/summary.h"
#include "experiments/results/sweep_table.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/experiments/sweep/sweep_testing.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A point whose config is `config`, with labels as a run writes them.
PointSummary point(const std::string& policy,
                   const std::string& config,
                   const std::string& model = "toy",
                   const std::string& budget = "10 %") {
  PointSummary summary;
  PointInfo& info = summary.result.point;
  info.point_hash = sha256_hex(policy + config + model + budget);
  info.config_yaml = config;
  info.full_cache = policy == "full";
  info.labels = {{"model", model}, {"policy", policy}, {"budget", budget}, {"seed", "0"}};
  summary.settings = point_settings(info);
  for (uint64_t i = 0; i < 2; ++i) {
    ImageRow& row = summary.result.rows.emplace_back(sample_row(i));
    row.metrics["ssim"] = 0.5;
  }
  summary.metrics["ssim"] = {.value = 0.5};
  return summary;
}

SweepSummary sweep(std::vector<PointSummary> points) {
  return {.folder = "unused", .points = std::move(points)};
}

std::vector<std::string> headers(const SweepSummary& summary) {
  std::vector<std::string> found;
  for (const LabelKey& key : differing_keys(summary)) found.push_back(key.header);
  return found;
}

std::vector<std::string> names(const SweepSummary& summary) {
  std::vector<std::string> found;
  for (const PointSummary& one : summary.points) {
    found.push_back(point_name(one, differing_keys(summary)));
  }
  return found;
}

std::string text(const TableCell& cell) {
  return std::get<std::string>(cell.content);
}

TEST(PointSettings, AreTheConfigWithoutWhatOnlySaysHowItRan) {
  const PointSummary one =
      point("snapkv",
            "name: x\nthreads: 2\nworkers: 3\nseed: 4\nhydra: {run: {dir: a}}\n"
            "gen: {batch: 8, tau: 1.0, cfg: [1, 2.5], cuts: null, seed: 4}\n"
            "policy: {name: snapkv, summary: prose, protect: [{name: sinks}]}\n"
            "budget: {ratio: 0.1}\nmodel: {tied: true}\n");
  EXPECT_THAT(
      one.settings,
      ElementsAre(testing::Pair("budget.ratio", "0.1"), testing::Pair("gen.cfg", "[1, 2.5]"),
                  testing::Pair("gen.cuts", "per_layer"), testing::Pair("gen.seed", "4"),
                  testing::Pair("gen.seed_rule", "hashed"),
                  testing::Pair("gen.store_last_scale", "false"), testing::Pair("gen.tau", "1"),
                  testing::Pair("model.text.overflow", "refuse"),
                  testing::Pair("model.tied", "true"), testing::Pair("policy.name", "snapkv"),
                  testing::Pair("policy.protect.0.name", "sinks"),
                  testing::Pair("policy.read", "all"), testing::Pair("prompts.list", "null")))
      << "keys younger than the result have their defaults";
}

TEST(PointLabels, ASweepOverASettingReadsItsNameAndValue) {
  const SweepSummary summary = sweep({point("full", "gen: {tau: 1, batch: 2}", "toy", "100 %"),
                                      point("snapkv", "gen: {tau: 0.5, batch: 4}"),
                                      point("snapkv", "gen: {tau: 1.0, batch: 4}")});
  EXPECT_THAT(headers(summary), ElementsAre("tau"));
  EXPECT_THAT(names(summary),
              ElementsAre("full, tau 1", "snapkv 10 %, tau 0.5", "snapkv 10 %, tau 1"));
  const Table table = sweep_table(summary);
  EXPECT_EQ(table.columns.front().header, "tau");
  EXPECT_EQ(text(table.rows[1].cells.front()), "0.5");
  EXPECT_EQ(text(table.rows[2].cells.front()), "1");
}

TEST(PointLabels, PointsThatDifferInOnePolicyOptionAreTwoRowsEverywhere) {
  const std::string start = "policy: {name: snapkv, score: {name: window_attention, window: ";
  const SweepSummary summary =
      sweep({point("full", "policy: {name: full}", "toy", "100 %"), point("snapkv", start + "8}}"),
             point("snapkv", start + "16}}")});
  EXPECT_THAT(names(summary),
              ElementsAre("full", "snapkv 10 %, window 8", "snapkv 10 %, window 16"));
  const Metric& metric = metric_named("ssim");
  const Table compared = metric_by_budget(summary, metric);
  ASSERT_EQ(compared.rows.size(), 3u);
  EXPECT_EQ(text(compared.rows[1].cells.front()), "snapkv, window 8");
  EXPECT_EQ(text(compared.rows[2].cells.front()), "snapkv, window 16");
  const Table table = sweep_table(summary);
  EXPECT_NE(text(table.rows[1].cells.front()), text(table.rows[2].cells.front()));
  const Chart chart = quality_chart(summary, metric);
  ASSERT_EQ(chart.series.size(), 2u);
  EXPECT_EQ(chart.series[1].name, "snapkv, window 16");
  const ContactSheet sheet = sweep_contact_sheet(summary, 1, 1);
  EXPECT_EQ(sheet.rows[1].label, "snapkv, window 8");
}

TEST(PointLabels, WhatFollowsFromPolicyBudgetOrModelIsNotRepeated) {
  const SweepSummary summary =
      sweep({point("full", "policy: {name: full}\ngen: {top_k: 1}", "a", "100 %"),
             point("h2o",
                   "policy: {name: h2o, score: {name: x}}\nbudget: {ratio: 0.1}\n"
                   "gen: {top_k: 1}",
                   "a"),
             point("h2o",
                   "policy: {name: h2o, score: {name: x}}\nbudget: {ratio: 0.5}\n"
                   "gen: {top_k: 1}",
                   "a", "50 %"),
             point("h2o", "policy: {name: h2o, score: {name: x}}\ngen: {top_k: 2}", "b")});
  EXPECT_THAT(headers(summary), ElementsAre("model"));
  EXPECT_THAT(headers(by_model(summary).front()), IsEmpty());
}

TEST(PointLabels, HeadersAreTheShortestThatSayWhichSettingIsMeant) {
  const auto with = [](const std::string& value) {
    return point("snapkv", "gen: {seed: " + value + ", top_k: " + value + "}\nprompts: {seed: " +
                               value + ", list: [" + value + "]}\nmetrics: {list: [psnr]}\n");
  };
  const SweepSummary summary = sweep({with("1"), with("2")});
  EXPECT_THAT(headers(summary), ElementsAre("seed", "top_k", "list", "prompts.seed"));
}

TEST(PointLabels, AKeyThatIsMissingHasItsDefault) {
  const SweepSummary same =
      sweep({point("snapkv", "gen: {cuts: null}"), point("snapkv", "gen: {}")});
  EXPECT_THAT(headers(same), IsEmpty());
  const SweepSummary other =
      sweep({point("snapkv", "gen: {cuts: per_step}"), point("snapkv", "gen: {}")});
  EXPECT_THAT(names(other),
              ElementsAre("snapkv 10 %, cuts per_step", "snapkv 10 %, cuts per_layer"));
}

TEST(PointLabels, ChoosePointsByHeaderOrKey) {
  const SweepSummary summary =
      sweep({point("full", "gen: {tau: 1}", "toy", "100 %"), point("snapkv", "gen: {tau: 0.5}"),
             point("snapkv", "gen: {tau: 1}")});
  for (const std::string condition : {"tau=1", "gen.tau=1"}) {
    const SweepSummary chosen = points_with(summary, std::vector<std::string>{condition});
    EXPECT_THAT(names(chosen), ElementsAre("full", "snapkv 10 %")) << condition;
  }
  try {
    points_with(summary, std::vector<std::string>{"tua=1"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'tau'"));
  }
}

TEST(PointLabels, TwoRunsIntoOneFolderBothCount) {
  const std::filesystem::path folder = fresh_folder("sweep");
  for (const std::string tau : {"0.5", "1"}) {
    PointInfo info = sample_point("snapkv", 0.1, 2);
    info.point_hash = sha256_hex(tau);
    info.config_yaml = "gen: {tau: " + tau + "}\n";
    info.labels.emplace_back("reference", sha256_hex("full" + tau).substr(0, 12));
    write_sample_point(folder, info, 1);
  }
  const SweepSummary summary = summarise_sweep(folder);
  EXPECT_THAT(summary.notes, IsEmpty());
  EXPECT_THAT(names(summary), ElementsAre("snapkv 10 %, tau 0.5", "snapkv 10 %, tau 1"));
}

TEST(PointLabels, TheComparisonOfAllPoliciesNeedsTheModelAlone) {
  SweepSummary summary{.folder = "unused"};
  for (const Point& one : points_of({"+experiment=all_policies"}, PointIdentity::kNone).points) {
    PointSummary& point = summary.points.emplace_back();
    point.result.point = one.info("{}", 1);
    point.settings = point_settings(point.point());
  }
  ASSERT_GT(summary.points.size(), 50u);
  EXPECT_THAT(headers(summary), ElementsAre("model"));
  std::vector<std::string> called = names(summary);
  std::ranges::sort(called);
  EXPECT_EQ(std::ranges::adjacent_find(called), called.end()) << "two points of one name";
}

}  // namespace
}  // namespace kvscope
