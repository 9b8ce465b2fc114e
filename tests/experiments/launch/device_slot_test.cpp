#include "experiments/launch/device_slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "core/base/error.h"
#include "experiments/launch/launcher.h"
#include "experiments/launch/runtime_folder.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using State = PointOutcome::State;

/// A runtime folder of its own for every test.
class DeviceSlotTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_file("runtime");
    fs::remove_all(folder_);
    setenv("KVSCOPE_RUNTIME_FOLDER", folder_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("KVSCOPE_RUNTIME_FOLDER");
    fs::remove_all(folder_);
  }

  fs::path folder_;
};

TEST_F(DeviceSlotTest, OneHolderASlot) {
  const std::vector<std::string> names = {"0", "1"};
  const auto first = DeviceSlot::try_take(names);
  const auto second = DeviceSlot::try_take(names);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->name(), "0");
  EXPECT_EQ(second->name(), "1");
  EXPECT_FALSE(DeviceSlot::try_take(names));
  EXPECT_THAT(DeviceSlot::holders(names), testing::HasSubstr(std::to_string(getpid())));
}

TEST_F(DeviceSlotTest, AKilledHolderLeavesItFree) {
  const std::vector<std::string> names = {"0"};
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto slot = DeviceSlot::try_take(names);
    if (!slot || write(ready[1], "y", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char taken = 0;
  ASSERT_EQ(read(ready[0], &taken, 1), 1);
  EXPECT_FALSE(DeviceSlot::try_take(names));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(DeviceSlot::try_take(names));
  EXPECT_EQ(DeviceSlot::holders(names), "");
}

TEST_F(DeviceSlotTest, AnothersFolderIsRefused) {
  fs::remove_all(folder_);
  std::ofstream(folder_) << "a file";
  EXPECT_THROW(runtime_folder(), Error);
}

TEST_F(DeviceSlotTest, NamesAreThoseOfFiles) {
  EXPECT_TRUE(DeviceSlot::is_name("GPU-8f2c.0"));
  for (const char* name : {"", "../x", "a b", "a/b"}) EXPECT_FALSE(DeviceSlot::is_name(name));
}

TEST_F(DeviceSlotTest, SlotsFollowFromTheDevice) {
  setenv("CUDA_VISIBLE_DEVICES", "4, 6", 1);
  EXPECT_THAT(device_slots("cuda", std::nullopt).names, testing::ElementsAre("4", "6"));
  const DeviceSlots second = device_slots("cuda:1", std::nullopt);
  EXPECT_THAT(second.names, testing::ElementsAre("6"));
  EXPECT_FALSE(second.shown_alone);  // or "cuda:1" would be none
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_TRUE(device_slots("cpu", std::nullopt).names.empty());
  EXPECT_TRUE(device_slots("cuda", std::vector<std::string>{}).names.empty());
}

/// Runs six points on two slots; each says in `log` when it has which slot. Returns the outcomes.
std::map<int64_t, PointOutcome> run_on_two_slots(const fs::path& log) {
  LaunchPlace place{.workers = 6};
  place.settings.options.slots = {"0", "1"};
  const auto launcher = make_launcher("processes", std::move(place));
  Point points[6];
  std::vector<const Point*> pointers;
  for (int i = 0; i < 6; ++i) {
    points[i].hash = std::to_string(i);
    pointers.push_back(&points[i]);
  }
  std::map<int64_t, PointOutcome> outcomes;
  launcher->launch(
      pointers,
      [&](const Point& point, const auto&, const auto&) -> PointOutcome {
        const char* slot = std::getenv("CUDA_VISIBLE_DEVICES");
        const auto say = [&](char mark) {  // one write of a line: whole, and in order
          std::ofstream(log, std::ios::app)
              << (std::string(slot == nullptr ? "none" : slot) + " " + mark + "\n") << std::flush;
        };
        say('+');
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        say('-');
        if (point.hash == "2") return {.state = State::kFailed, .message = "broken"};
        return {};
      },
      {.begun = [](int64_t) {},
       .images_made = [](int64_t, int64_t) {},
       .ended = [&](int64_t i, const PointOutcome& outcome) { outcomes[i] = outcome; }},
      [] { return false; });
  return outcomes;
}

TEST_F(DeviceSlotTest, TwoProgramsNeverHaveTwoJobsOnASlotAndAFailureStopsNone) {
  const fs::path log = folder_.string() + ".log";
  fs::remove(log);
  const pid_t other = fork();
  ASSERT_GE(other, 0);
  if (other == 0) _exit(run_on_two_slots(log).size() == 6 ? 0 : 1);
  const auto outcomes = run_on_two_slots(log);
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(outcomes.size(), 6u);
  for (const auto& [i, outcome] : outcomes) {
    EXPECT_EQ(outcome.state, i == 2 ? State::kFailed : State::kDone);
  }
  std::ifstream lines(log);
  std::set<std::string> used;
  std::map<std::string, int> at_work;
  std::string slot;
  char mark = 0;
  int count = 0;
  while (lines >> slot >> mark) {
    ++count;
    used.insert(slot);
    at_work[slot] += mark == '+' ? 1 : -1;
    EXPECT_LE(at_work[slot], 1) << "line " << count;
    EXPECT_GE(at_work[slot], 0) << "line " << count;
  }
  EXPECT_EQ(count, 24);
  for (const std::string& name : used) EXPECT_TRUE(name == "0" || name == "1") << name;
  fs::remove(log);
}

}  // namespace
}  // namespace kvscope
