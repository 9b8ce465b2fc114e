#include "experiments/results/page/points_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/metrics/registry.h"
#include "experiments/results/page/fronts.h"
#include "experiments/results/page/point_facts.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using nlohmann::json;

SweepSummary sample_sweep(const std::filesystem::path& folder) {
  write_sample_point(folder, sample_point("full", 1, 4), 0);
  write_sample_point(folder, sample_point("snapkv", 0.1, 4), 9);
  write_sample_point(folder, sample_point("snapkv", 0.2, 4), 5);
  return summarise_sweep(folder);
}

TEST(PointsPayload, HasEveryNumberOfEveryPoint) {
  const SweepSummary sweep = sample_sweep(fresh_folder("sweep"));
  const json page = json::parse(points_payload(sweep));
  ASSERT_EQ(page["points"].size(), 3u);
  ASSERT_EQ(page["groups"].size(), 1u);
  EXPECT_EQ(page["groups"][0]["points"], json({0, 1, 2}));
  for (size_t i = 0; i < 3; ++i) {
    const PointSummary& point = sweep.points[i];
    const json& said = page["points"][i];
    EXPECT_EQ(said["hash"], point.point().point_hash);
    EXPECT_EQ(said["full"], i == 0);
    EXPECT_EQ(said["x"][0].get<double>(), 4);  // MiB at the peak
    for (size_t m = 0; m < page["metrics"].size(); ++m) {
      const Measured& measured = point.metrics.at(page["metrics"][m]["key"]);
      if (measured.present()) {
        EXPECT_EQ(said["y"][m][0], measured.value);
      } else {
        EXPECT_EQ(said["y"][m], measured.missing);
      }
    }
  }
  EXPECT_EQ(page["points"][0]["y"][0], "the reference itself");
}

TEST(PointsPayload, KeepsWhatPointsShareOnce) {
  const SharedFacts facts = shared_and_own({{{"a", "1"}, {"b", "2"}}, {{"a", "1"}, {"c", "3"}}});
  EXPECT_EQ(facts.shared, (Facts{{"a", "1"}}));
  EXPECT_EQ(facts.own[0], (Facts{{"b", "2"}}));
  EXPECT_EQ(facts.own[1], (Facts{{"c", "3"}}));
  EXPECT_TRUE(shared_and_own({}).shared.empty());
}

TEST(PointsPayload, ManifestsOfAnyKindAreFacts) {
  EXPECT_EQ(facts_of_json(R"({"a": {"b": "x", "c": 3}, "d": [1, "y"]})"),
            (Facts{{"a.b", "x"}, {"a.c", "3"}, {"d", "[1,\"y\"]"}}));
  EXPECT_TRUE(facts_of_json("no JSON").empty());
  EXPECT_TRUE(facts_of_json("[1]").empty());
}

TEST(PointsPayload, TheCommandKeepsWhereConfigurationsAre) {
  PointInfo point;
  point.overrides = {"policy=h2o", "prompt=a 'red' circle"};
  const Facts manifest = {
      {"command_line",
       "kvscope run -m -cd 'my configs' --plugin=x.so policy=full,h2o 'prompt=-cd no'"}};
  EXPECT_EQ(command_of(point, manifest),
            "kvscope run -m -cd 'my configs' --plugin=x.so policy=h2o \"prompt=a 'red' circle\"");
  EXPECT_EQ(command_of(point, {}), "kvscope run policy=h2o \"prompt=a 'red' circle\"");
}

TEST(PointsPayload, HostileTextsStayText) {
  const std::filesystem::path folder = fresh_folder("sweep");
  PointInfo point = sample_point("h2o", 0.1, 2);
  point.overrides = {"prompt=</script>\xff\xe2\x80\xae\x01"};
  write_sample_point(folder, point, 1);
  const std::string text = points_payload(summarise_sweep(folder));
  const json page = json::parse(text);
  EXPECT_EQ(page["points"][0]["overrides"][0],
            "prompt=</script>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

/// A point of so much memory (MiB) and that SSIM.
PointSummary made(const std::string& policy, int64_t mib, double ssim) {
  PointSummary point;
  point.result.point.labels = {{"model", "toy"}, {"policy", policy}};
  point.result.point.full_cache = policy == "full";
  point.kv_peak_bytes = mib << 20;
  point.metrics["ssim"] = std::isnan(ssim) ? Measured{.missing = "none"} : Measured{.value = ssim};
  return point;
}

TEST(Fronts, TheFullCacheIsTheCornerAndNoCompetitor) {
  const std::vector<PointSummary> points = {made("full", 100, kNotMeasured), made("a", 1, 0.5),
                                            made("a", 10, 0.75), made("b", 10, 0.5),
                                            made("b", 1, kNotMeasured)};
  const ComparableGroup group = comparable_groups(points).front();
  const Front front = front_of(points, group, cost_axes().front(), metric_named("ssim"));
  EXPECT_THAT(front.points, testing::ElementsAre(1u, 2u));
  EXPECT_EQ(front.corner.cost, 100);
  EXPECT_EQ(front.corner.quality, 0.5);
  // Above the worst quality there is one decade, from 10 to 100, a quarter high.
  EXPECT_NEAR(front.hypervolume, 0.25, 1e-12);
  ASSERT_EQ(front.series.size(), 2u);
  EXPECT_EQ(front.series[0].name, "a");
  EXPECT_NEAR(front.series[0].hypervolume, 0.25, 1e-12);
  EXPECT_EQ(front.series[1].hypervolume, 0);
}

TEST(PointsPayload, AThousandPointsAreQuickAndSmall) {
  SweepSummary sweep;
  for (int64_t i = 0; i < 1000; ++i) {
    PointSummary& point = sweep.points.emplace_back(made(
        fmt::format("policy{}", i % 40), 1 + i % 25, 0.001 * static_cast<double>(i * 37 % 991)));
    point.result.point.point_hash = sha256_hex(fmt::format("{}", i));
    point.result.point.manifest_json = R"({"version": "1", "sha256": {"model.weights": "ab"}})";
    point.settings = {{"gen.tau", "1"}, {"budget.ratio", fmt::format("{}", i % 25)}};
  }
  const std::string text = points_payload(sweep);
  EXPECT_LT(text.size(), size_t{1} << 20);
  EXPECT_EQ(json::parse(text)["points"].size(), 1000u);
}

}  // namespace
}  // namespace kvscope
