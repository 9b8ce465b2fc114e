#include "experiments/training/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace kvscope {
namespace {

TEST(RunTraining, ReportsTheMeanSinceTheLastLineAlsoAfterAResumeInBetween) {
  std::vector<TrainingProgress> lines;
  std::vector<int64_t> saves;
  const bool finished = run_training(
      {.steps = 120, .batch = 1, .save_every_steps = 40, .state_path = "x"}, 30,
      [](int64_t step) -> TrainingStep {
        return {static_cast<double>(step), 0.5};
      },
      [&](int64_t next) { saves.push_back(next); },
      [&](const TrainingProgress& progress) { lines.push_back(progress); });
  EXPECT_TRUE(finished);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].step, 50);
  EXPECT_DOUBLE_EQ(lines[0].loss, (30 + 49) / 2.0);
  EXPECT_DOUBLE_EQ(lines[1].loss, (50 + 99) / 2.0);
  EXPECT_EQ(lines[2].step, 120);
  EXPECT_DOUBLE_EQ(lines[2].loss, (100 + 119) / 2.0);
  EXPECT_THAT(saves, testing::ElementsAre(40, 80, 120));
}

TEST(RunTraining, AStopReportsAndSavesAtOnce) {
  std::vector<int64_t> reports;
  std::vector<int64_t> saves;
  int64_t done = 0;
  const bool finished = run_training(
      {.steps = 1000, .batch = 1, .state_path = "x", .stop_asked = [&] { return done == 7; }}, 0,
      [&](int64_t step) -> TrainingStep {
        done = step + 1;
        return {};
      },
      [&](int64_t next) { saves.push_back(next); },
      [&](const TrainingProgress& progress) { reports.push_back(progress.step); });
  EXPECT_FALSE(finished);
  EXPECT_THAT(reports, testing::ElementsAre(7));
  EXPECT_THAT(saves, testing::ElementsAre(7));
}

}  // namespace
}  // namespace kvscope
