#include "experiments/results/comparable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

using testing::ElementsAre;

/// A point over so many images, with settings beside those of its policy.
PointSummary point_of(const std::string& policy, const PointSettings& settings, uint64_t images) {
  PointSummary point;
  point.result.point.labels = {{"model", "toy"}, {"policy", policy}, {"budget", "10 %"}};
  point.result.point.full_cache = policy == "full";
  point.settings = settings;
  for (uint64_t i = 0; i < images; ++i) {
    ImageRow row;
    row.prompt = "a circle";
    row.seed = i;
    point.result.rows.push_back(row);
  }
  return point;
}

TEST(Comparable, PoliciesAndBudgetsOfOneSettingAreOneGroup) {
  const std::vector<PointSummary> points = {
      point_of("full", {{"gen.tau", "1"}}, 2),
      point_of("snapkv", {{"gen.tau", "1"}, {"policy.score.window", "8"}}, 2),
      point_of("snapkv", {{"gen.tau", "1"}, {"policy.score.window", "16"}, {"budget.ratio", "0.1"}},
               2)};
  const std::vector<ComparableGroup> groups = comparable_groups(points);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].name, "toy");
  EXPECT_THAT(groups[0].points, ElementsAre(0u, 1u, 2u));
  EXPECT_THAT(groups[0].series, ElementsAre("full", "snapkv, window 8", "snapkv, window 16"));
}

TEST(Comparable, AnotherSettingIsAnotherGroup) {
  const std::vector<PointSummary> points = {point_of("full", {{"gen.tau", "1"}}, 2),
                                            point_of("h2o", {{"gen.tau", "0.5"}}, 2),
                                            point_of("h2o", {{"gen.tau", "1"}}, 2)};
  const std::vector<ComparableGroup> groups = comparable_groups(points);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "toy, tau 1");
  EXPECT_THAT(groups[0].points, ElementsAre(0u, 2u));
  EXPECT_EQ(groups[1].name, "toy, tau 0.5");
}

TEST(Comparable, PromptsAndSeedsCountAsTheyWereMade) {
  const std::vector<PointSummary> renamed = {point_of("full", {{"prompts.file", "a.txt"}}, 2),
                                             point_of("h2o", {{"prompts.file", "b.txt"}}, 2)};
  EXPECT_EQ(comparable_groups(renamed).size(), 1u);
  const std::vector<PointSummary> fewer = {point_of("full", {}, 3), point_of("h2o", {}, 2)};
  const std::vector<ComparableGroup> groups = comparable_groups(fewer);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[1].name, testing::StartsWith("toy, images 2 ("));
}

TEST(Comparable, WeightsCountByTheirDigestNotTheirPath) {
  std::vector<PointSummary> points = {point_of("full", {{"model.weights", "a"}}, 1),
                                      point_of("h2o", {{"model.weights", "b"}}, 1)};
  for (PointSummary& point : points) {
    point.result.point.manifest_json = R"({"sha256": {"model.weights": "0123456789"}})";
  }
  EXPECT_EQ(comparable_groups(points).size(), 1u);
  points[1].result.point.manifest_json = R"({"sha256": {"model.weights": "9876543210"}})";
  EXPECT_EQ(comparable_groups(points).size(), 2u);
}

}  // namespace
}  // namespace kvscope
