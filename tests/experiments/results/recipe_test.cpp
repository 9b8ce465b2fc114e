// How numbers were made, of points with and without much in their config.
#include "experiments/results/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/metrics/registry.h"
#include "experiments/results/skill_table.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/sweep_table.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

PointSummary point(const std::string& policy, const std::string& config) {
  PointSummary summary;
  summary.result.point = sample_point(policy, policy == "full" ? 1.0 : 0.1, 2);
  summary.result.point.config_yaml = config;
  summary.settings = point_settings(summary.point());
  summary.result.rows = {sample_row(0), sample_row(1)};
  for (const Metric& metric : metrics()) {
    summary.metrics[metric.name] = {.value = 0.5, .low = 0.4, .high = 0.6};
  }
  summary.recipe = recipe_of(summary);
  return summary;
}

SweepSummary two_recipes() {
  return {.folder = "unused",
          .points = {point("full", "gen: {cfg: 3.0, tau: 1}"),
                     point("h2o", "gen: {cfg: 3, tau: 1}"), point("h2o", "gen: {cfg: 4, tau: 1}")}};
}

std::string fact(const Recipe& recipe, const std::string& name) {
  for (const auto& [known, text] : recipe.facts) {
    if (known == name) return text;
  }
  return "no such fact";
}

TEST(Recipe, IsReadFromWhatTheFileHolds) {
  const Recipe recipe = recipe_of(point("full", "gen: {cfg: 3, tau: [1, 0.5], top_k: 9}"));
  EXPECT_EQ(fact(recipe, "cfg"), "3");
  EXPECT_EQ(fact(recipe, "tau"), "[1, 0.5]");
  EXPECT_EQ(fact(recipe, "top-p"), "not recorded");
  EXPECT_EQ(fact(recipe, "seeds"), "hashed");  // the rule of files that are older than the key
  EXPECT_THAT(fact(recipe, "prompts"), HasSubstr("2, sha256 "));
  EXPECT_EQ(fact(recipe, "pixels"), "not recorded");
  EXPECT_EQ(fact(recipe, "picture"), "PNG");
  EXPECT_EQ(recipe.published, "");
}

TEST(Recipe, NamesThePublishedOneAndWhatDeparts) {
  const Recipe recipe = recipe_of(
      point("full",
            "{gen: {cfg: 3}, recipe: {name: infinity_geneval, departures: [cfg 3 instead of 4]}}"));
  EXPECT_EQ(recipe.published, "infinity_geneval with cfg 3 instead of 4");
  EXPECT_THAT(recipe.text(), testing::StartsWith("infinity_geneval with cfg 3 instead of 4: "));
  EXPECT_EQ(recipe, recipe_of(point("h2o", "gen: {cfg: 3}"))) << "what it is called does not count";
}

TEST(Recipe, OtherPromptsAreAnother) {
  PointSummary other = point("h2o", "gen: {cfg: 3}");
  other.result.rows[1].prompt = "something else";
  EXPECT_NE(recipe_of(other), recipe_of(point("h2o", "gen: {cfg: 3}")));
}

TEST(Recipe, OfOneASweepHasALineAndNoMoreColumns) {
  SweepSummary sweep = two_recipes();
  sweep.points.pop_back();
  const Table table = sweep_table(sweep);
  ASSERT_EQ(table.notes.size(), 1u);
  EXPECT_THAT(table.notes.front(), testing::StartsWith("recipe: prompts 2"));
  const std::string console = console_table(table);
  EXPECT_THAT(console, HasSubstr("recipe: prompts 2"));
  EXPECT_EQ(console.find("PSNR,"), std::string::npos);
  EXPECT_THAT(csv_table(table), HasSubstr(",images,recipe,"));
}

TEST(Recipe, NumbersOfTwoNeverShareAColumn) {
  const SweepSummary sweep = two_recipes();
  const Table table = sweep_table(sweep);
  EXPECT_EQ(table.notes.size(), 2u);
  const auto cell = [&](size_t row, const std::string& header) {
    for (size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].header == header) return table.rows[row].cells[c];
    }
    return TableCell::text("no such column");
  };
  EXPECT_TRUE(std::holds_alternative<TableNumber>(cell(1, "SSIM, A").content));
  EXPECT_TRUE(std::holds_alternative<TableMissing>(cell(1, "SSIM, B").content));
  EXPECT_TRUE(std::holds_alternative<TableMissing>(cell(2, "SSIM, A").content));
  EXPECT_TRUE(std::holds_alternative<TableNumber>(cell(2, "SSIM, B").content));
  EXPECT_EQ(cell(2, "recipe"), TableCell::text("B"));
  EXPECT_EQ(cell(0, "SSIM"), TableCell::text("no such column"));
  const std::vector<SweepSummary> parts = by_recipe(sweep);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].points.size(), 2u);
  const Table skills = skill_table(sweep, metric_named("shape_eval"));
  EXPECT_EQ(skills.columns.size(), 5u);  // point, and colours and all of each
}

TEST(Recipe, IsWholeInJson) {
  const SweepSummary sweep = two_recipes();
  const auto json = nlohmann::json::parse(recipes_of(sweep).json(metrics()));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[1]["label"], "B");
  EXPECT_EQ(json[1]["cfg"], "4");
  EXPECT_THAT(json[0]["metrics"]["ssim"].get<std::string>(), HasSubstr("gaussian"));
}

TEST(Recipe, LabelsGoOnBehindZ) {
  EXPECT_EQ(SweepRecipes::label(25), "Z");
  EXPECT_EQ(SweepRecipes::label(26), "AA");
}

}  // namespace
}  // namespace kvscope
