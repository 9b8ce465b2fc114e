// Commands that end without their points leave failed points, which a later run finds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/sweep/point_state.h"
#include "experiments/sweep/run_point.h"
#include "experiments/sweep/runner.h"
#include "tests/experiments/sweep/sweep_testing.h"

namespace kvscope {
namespace {

TEST(CommandLauncher, PointsOfACommandThatEndsWithoutThemHaveFailed) {
  const ResultsFolder folder("command");
  const Sweep sweep = sweep_of(
      tiny_model() + std::vector<std::string>{"launcher=command", "launch.command=[/bin/false]"},
      folder);
  for (int64_t attempt = 1; attempt <= 2; ++attempt) {
    const SweepOutcome outcome = run_sweep(sweep);
    ASSERT_EQ(outcome.failures.size(), 1u);
    EXPECT_EQ(outcome.failures.front().failure_class, "job");
    const StoredPoint stored =
        stored_point(point_folder(folder.path() / "points", sweep.list.points.front().hash));
    EXPECT_EQ(stored.state, PointState::kFailed) << "what --retry-failed looks for";
    ASSERT_TRUE(stored.failure);
    EXPECT_EQ(stored.failure->failure_class, "job");
    EXPECT_EQ(stored.failure->attempts, attempt);
  }
}

}  // namespace
}  // namespace kvscope
