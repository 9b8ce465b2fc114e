#include "experiments/results/leaderboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "experiments/commands/results/leaderboard.h"
#include "experiments/results/sweep_metrics.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

/// A point of so much memory (MiB) with that share of right images, in `sweep`.
void add_point(SweepSummary& sweep, const std::string& policy, int64_t mib, double right) {
  PointSummary& point = sweep.points.emplace_back();
  point.result.point = sample_point(policy, static_cast<double>(mib) / 100, 2);
  point.kv_peak_bytes = mib << 20;
  point.metrics["shape_eval"] = {.value = right};
  point.asked_metrics = {{"shape_eval"}};
}

std::vector<std::string> names_of(const Ranking& ranking) {
  std::vector<std::string> names;
  for (const RankedSeries& one : ranking.series) {
    names.push_back(fmt::format("{} {}", one.rank, one.name));
  }
  return names;
}

TEST(Leaderboard, RanksByHypervolumeAndAtEqualMemory) {
  SweepSummary sweep;
  add_point(sweep, "full", 100, 1);
  add_point(sweep, "a", 10, 0.2);
  add_point(sweep, "a", 20, 0.9);
  add_point(sweep, "b", 10, 0.6);
  add_point(sweep, "b", 20, 0.5);
  add_point(sweep, "c", 10, 0.6);
  const std::vector<Ranking> all = rankings(sweep, comparable_groups(sweep.points).front());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].budget, "");
  EXPECT_THAT(names_of(all[0]), testing::ElementsAre("1 a", "2 b", "2 c"));
  EXPECT_EQ(all[1].budget, "20 %");
  EXPECT_EQ(all[1].limit_bytes, 20 << 20);
  // A point that takes less memory than it may competes, too.
  EXPECT_THAT(names_of(all[1]), testing::ElementsAre("1 a", "2 b", "2 c"));
  EXPECT_EQ(all[1].series[1].point, 3u);
  EXPECT_THAT(names_of(all[2]), testing::ElementsAre("1 b", "1 c", "3 a"));
}

TEST(Leaderboard, LeavesOutWhatCannotBeReadAndSaysWhy) {
  const std::filesystem::path good = fresh_folder("good");
  const std::filesystem::path other = fresh_folder("other");
  write_sample_point(good, sample_point("full", 1, 2), 0);
  write_sample_point(good, sample_point("h2o", 0.1, 2), 3);
  write_sample_point(other, sample_point("h2o", 0.1, 2), 3);
  const auto damaged = write_sample_point(other, sample_point("snapkv", 0.1, 2), 3);
  std::fstream(damaged / "result.h5", std::ios::in | std::ios::out | std::ios::binary)
      .seekp(600)
      .write("damage", 6);
  const std::filesystem::path none = fresh_folder("none");
  const Submissions all = read_submissions(std::vector{good, other, none});
  EXPECT_EQ(all.points.points.size(), 2u);
  ASSERT_EQ(all.left_out.size(), 3u);
  EXPECT_THAT(all.left_out[0].reason, HasSubstr("because it cannot be read"));
  EXPECT_THAT(all.left_out[1].reason, HasSubstr("the same is in"));
  EXPECT_THAT(all.left_out[2].reason, HasSubstr("no points/*/result.h5 in it"));
  EXPECT_THROW(read_submissions(std::vector{none}), Error);
  EXPECT_THROW(read_submissions(std::vector{good, none / "nosuch"}), Error) << "it was mistyped";
}

TEST(Leaderboard, WritesOnePageAndNothingElse) {
  const std::filesystem::path folder = fresh_folder("sweep");
  write_sample_point(folder, sample_point("full", 1, 2), 0);
  write_sample_point(folder, sample_point("h2o", 0.1, 2), 3);
  const std::filesystem::path page = fresh_folder("page") / "board.html";
  testing::internal::CaptureStdout();
  EXPECT_EQ(leaderboard_command({.folders = {folder}, .to = page}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("h2o"));
  EXPECT_FALSE(std::filesystem::exists(folder / "report"));
  std::stringstream html;
  html << std::ifstream(page).rdbuf();
  EXPECT_THAT(html.str(), HasSubstr("id=\"ranking\""));
  EXPECT_THAT(html.str(), HasSubstr("\"rankings\":[{"));
  EXPECT_THROW(leaderboard_command({.folders = {folder}, .metric = "psrn"}), Error);
}

}  // namespace
}  // namespace kvscope
