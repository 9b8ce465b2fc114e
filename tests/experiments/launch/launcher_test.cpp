// What every launcher that makes points itself promises.
#include "experiments/launch/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "core/base/error.h"

namespace kvscope {
namespace {

using State = PointOutcome::State;

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, help] : launcher_names()) {
    // These hand points to other programs: tests/campaign/launchers.
    if (name != "slurm" && name != "command") all.push_back(name);
  }
  return all;
}

class LauncherContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) {
      points_[i].hash = std::to_string(i);
      pointers_.push_back(&points_[i]);
    }
  }

  std::unique_ptr<Launcher> launcher_ = make_launcher(GetParam(), {.workers = 2});
  Point points_[5];
  std::vector<const Point*> pointers_;
  std::map<int64_t, int64_t> images_;
  std::map<int64_t, PointOutcome> outcomes_;
  std::set<int64_t> begun_;
  LaunchEvents events_{
      .begun = [this](int64_t i) { EXPECT_TRUE(begun_.insert(i).second); },
      .images_made = [this](int64_t i, int64_t images) { images_[i] += images; },
      .ended = [this](int64_t i, const PointOutcome& outcome) { outcomes_[i] = outcome; }};
};

TEST_P(LauncherContract, EveryPointOnceWithItsOutcomeAsAValue) {
  const std::string message = "a \"message\"\nof two lines \xF0\x9F\x98\x80";
  launcher_->launch(
      pointers_,
      [&](const Point& point, const auto& images_made, const auto&) -> PointOutcome {
        images_made(2);
        images_made(1);
        if (point.hash == "1") return {.state = State::kFailed, .message = message};
        if (point.hash == "2") return {.state = State::kBusy, .message = "elsewhere"};
        return {};
      },
      events_, [] { return false; });
  ASSERT_EQ(outcomes_.size(), 5u);
  EXPECT_EQ(begun_.size(), 5u);
  for (const auto& [i, outcome] : outcomes_) {
    EXPECT_EQ(images_[i], 3);
    const State expected = i == 1 ? State::kFailed : i == 2 ? State::kBusy : State::kDone;
    EXPECT_EQ(outcome.state, expected) << i;
  }
  EXPECT_EQ(outcomes_[1].message, message);
  EXPECT_EQ(outcomes_[2].message, "elsewhere");
}

TEST_P(LauncherContract, AStopReachesThePointAtWorkAndBeginsNoOther) {
  launcher_->launch(
      pointers_,
      [](const Point&, const auto& images_made, const auto& stop_asked) -> PointOutcome {
        images_made(1);
        while (!stop_asked()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return {.state = State::kInterrupted};
      },
      events_, [this] { return !images_.empty(); });
  EXPECT_LE(outcomes_.size(), 2u);
  EXPECT_GE(outcomes_.size(), 1u);
  for (const auto& [i, outcome] : outcomes_) EXPECT_EQ(outcome.state, State::kInterrupted);
}

TEST_P(LauncherContract, WhatConcernsMoreThanAPointIsThrownWithItsKind) {
  try {
    launcher_->launch(
        pointers_,
        [](const Point& point, const auto&, const auto&) -> PointOutcome {
          if (point.hash == "0") throw Error(ErrorKind::kInput, "weights: truncated");
          return {};
        },
        events_, [] { return false; });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_STREQ(error.what(), "weights: truncated");
  }
}

TEST_P(LauncherContract, TryingOutThrowsWhatItFinds) {
  EXPECT_NO_THROW(launcher_->try_out([] {}));
  EXPECT_THROW(launcher_->try_out([] { throw Error(ErrorKind::kEnvironment, "no GPU"); }), Error);
}

TEST_P(LauncherContract, NoPointsAreDoneAtOnce) {
  launcher_->launch(
      {}, [](const Point&, const auto&, const auto&) { return PointOutcome{}; }, events_,
      [] { return false; });
  EXPECT_TRUE(begun_.empty());
}

INSTANTIATE_TEST_SUITE_P(Every, LauncherContract, testing::ValuesIn(names()), [](const auto& name) {
  return name.param;
});

TEST(Launchers, AnUnknownNameIsAnErrorWithTheNearest) {
  try {
    make_launcher("proceses", {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("'processes'"));
  }
}

TEST(PointOutcome, ForeignTextIsRefused) {
  const PointOutcome failed{.state = State::kFailed, .message = "x"};
  EXPECT_EQ(point_outcome(to_json(failed)), failed);
  for (const char* text : {"", "{}", "[]", "{\"state\": \"finished\", \"message\": \"\"}",
                           "{\"state\": 1, \"message\": \"\"}", "{\"state\": \"done\"}"}) {
    EXPECT_THROW(point_outcome(text), Error) << text;
  }
}

}  // namespace
}  // namespace kvscope
