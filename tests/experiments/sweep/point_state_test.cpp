#include "experiments/sweep/point_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "experiments/sweep/run_point.h"
#include "sweep_testing.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

class PointStates : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "images");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void touch(const std::string& name) const { std::ofstream(folder_ / name) << "x"; }
  [[nodiscard]] PointState state() const { return stored_point(folder_).state; }

  fs::path folder_ = test_file("states");
};

TEST_F(PointStates, FollowFromTheFilesAlone) {
  EXPECT_EQ(stored_point(folder_ / "nowhere").state, PointState::kMissing);
  EXPECT_EQ(state(), PointState::kMissing);
  touch("images/000000.png");
  EXPECT_EQ(state(), PointState::kPart);
  EXPECT_EQ(stored_point(folder_).images_there, 1);
  touch("result.h5");
  EXPECT_EQ(state(), PointState::kDone);
  touch("result.h5.part");  // more images were begun
  EXPECT_EQ(state(), PointState::kPart);
  const auto lease = PointLease::try_take(folder_);
  EXPECT_EQ(state(), PointState::kRunning);
  EXPECT_EQ(stored_point(folder_).holder->process, getpid());
}

TEST_F(PointStates, AFailureIsKeptCountedAndTakenAway) {
  const PointOutcome outcome{.state = PointOutcome::State::kFailed,
                             .message = "no \"memory\"\nleft",
                             .failure_class = "out_of_memory"};
  write_failure(folder_, outcome);
  write_failure(folder_, outcome);
  EXPECT_EQ(state(), PointState::kFailed);
  const auto failure = stored_point(folder_).failure;
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->failure_class, "out_of_memory");
  EXPECT_EQ(failure->message, outcome.message);
  EXPECT_EQ(failure->attempts, 2);
  EXPECT_THAT(failure->failed_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));
  clear_failure(folder_);
  EXPECT_EQ(state(), PointState::kMissing);
}

TEST_F(PointStates, DamagedFilesSayNothing) {
  touch("FAILED");
  touch("manifest.json");
  EXPECT_EQ(state(), PointState::kMissing);
  EXPECT_FALSE(stored_point(folder_).images_asked);
}

TEST(PointState, AFailedPointSaysSoUntilItIsDone) {
  const ResultsFolder folder("failed_state");
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"policy=full,sliding_window", "budget.tokens=6",
                                              "gen.images=2", "metrics=none"};
  const Sweep sound = sweep_of(overrides, folder);
  Sweep sweep = sound;
  Point& full = sweep.list.points.front();
  // Of a model with fewer layers.
  full.plan = points_of(overrides + std::vector<std::string>{"model.transformer.depth=1"})
                  .points.front()
                  .plan;
  const SweepOutcome outcome = run_sweep(sweep);
  ASSERT_EQ(outcome.failures.size(), 1);
  EXPECT_EQ(outcome.points_done, 1);
  const auto place = [&](const Point& point) {
    return point_folder(folder.path() / "points", point.hash);
  };
  const StoredPoint failed = stored_point(place(full));
  EXPECT_EQ(failed.state, PointState::kFailed);
  EXPECT_EQ(failed.failure->failure_class, "internal") << failed.failure->message;
  EXPECT_EQ(failed.images_asked, 2);
  EXPECT_EQ(stored_point(place(sweep.list.points.back())).state, PointState::kDone);
  ASSERT_THAT(run_sweep(sound).failures, testing::IsEmpty());
  EXPECT_EQ(stored_point(place(full)).state, PointState::kDone);
}

}  // namespace
}  // namespace kvscope
