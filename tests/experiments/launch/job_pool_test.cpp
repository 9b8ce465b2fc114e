// Processes that share jobs: every job once, in as many processes as asked for; failures, deaths
// and stops as they reach the parent.
#include "experiments/launch/job_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

struct Heard {
  std::map<int64_t, std::string> results;
  std::map<int64_t, int64_t> told;
  std::map<int64_t, std::string> deaths;
  std::set<int64_t> begun;

  JobEvents events() {
    return {.begun = [this](int64_t job) { begun.insert(job); },
            .told = [this](int64_t job, int64_t number) { told[job] += number; },
            .ended = [this](int64_t job, const std::string& text) { results[job] = text; },
            .died = [this](int64_t job, const std::string& how) { deaths[job] = how; }};
  }
};

bool never() {
  return false;
}

TEST(RunJobs, EveryJobOnceAndInItsOwnProcess) {
  Heard heard;
  const std::string long_text(100000, 'x');  // more than a pipe holds
  run_jobs(
      20, 3,
      [&](int64_t job, const JobContext& context) {
        for (int64_t i = 0; i < job; ++i) context.tell(2);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return std::to_string(getpid()) + " " + (job == 7 ? long_text : "");
      },
      heard.events(), never);
  ASSERT_EQ(heard.results.size(), 20u);
  EXPECT_EQ(heard.begun.size(), 20u);
  EXPECT_TRUE(heard.deaths.empty());
  std::set<std::string> processes;
  for (const auto& [job, text] : heard.results) {
    processes.insert(text.substr(0, text.find(' ')));
    EXPECT_EQ(heard.told[job], 2 * job);
  }
  EXPECT_EQ(processes.size(), 3u);
  EXPECT_FALSE(processes.contains(std::to_string(getpid())));
  EXPECT_THAT(heard.results[7], testing::EndsWith(long_text));
}

TEST(RunJobs, AnErrorStopsTheOthersAndKeepsItsKind) {
  Heard heard;
  try {
    run_jobs(
        50, 2,
        [](int64_t job, const JobContext&) -> std::string {
          if (job == 3) throw Error(ErrorKind::kInput, "weights.bin: truncated");
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return "";
        },
        heard.events(), never);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_STREQ(error.what(), "weights.bin: truncated");
  }
  EXPECT_LT(heard.results.size(), 20u);
}

TEST(RunJobs, ADeathIsNamedAndTheOthersGoOn) {
  Heard heard;
  run_jobs(
      9, 2,
      [](int64_t job, const JobContext&) -> std::string {
        if (job == 2) kill(getpid(), SIGKILL);
        return "fine";
      },
      heard.events(), never);
  EXPECT_EQ(heard.results.size(), 8u);
  ASSERT_TRUE(heard.deaths.contains(2));
  EXPECT_THAT(heard.deaths[2], testing::HasSubstr("signal 9"));
  EXPECT_THAT(heard.deaths[2], testing::HasSubstr("memory"));
}

TEST(RunJobs, AKilledProcessIsReplacedAndItsJobBegunOnceMore) {
  Heard heard;
  const std::filesystem::path mark = test_file("died_once");
  std::filesystem::remove(mark);
  std::map<int64_t, std::string> again;
  JobEvents events = heard.events();
  events.begun_again = [&](int64_t job, const std::string& how) { again[job] = how; };
  run_jobs(
      4, 1,
      [&](int64_t job, const JobContext&) -> std::string {
        if (job == 1 && !std::filesystem::exists(mark)) {
          std::ofstream(mark) << "x";
          kill(getpid(), SIGKILL);
        }
        return "fine";
      },
      events, never);
  EXPECT_EQ(heard.results.size(), 4u);
  EXPECT_TRUE(heard.deaths.empty());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_THAT(again[1], testing::HasSubstr("signal 9"));
}

TEST(RunJobs, AJobThatKillsEveryProcessIsTriedTwice) {
  Heard heard;
  const auto dies = [](int64_t, const JobContext&) -> std::string { _exit(7); };
  run_jobs(5, 2, dies, heard.events(), never);
  ASSERT_EQ(heard.deaths.size(), 5u);
  EXPECT_THAT(heard.deaths[4], testing::HasSubstr("exit code 7"));
  EXPECT_TRUE(heard.results.empty());
}

TEST(RunJobs, WhereNoProcessGetsToAJobTheRestIsAnError) {
  Heard heard;
  const auto work = [](int64_t, const JobContext&) { return std::string(); };
  const auto dies = [](const auto&) { kill(getpid(), SIGKILL); };
  EXPECT_THROW(run_jobs(5, 2, work, heard.events(), never, dies), Error);
  const auto refuses = [](const auto&) -> void { throw Error(ErrorKind::kInput, "no slot"); };
  EXPECT_THROW(run_jobs(5, 2, work, heard.events(), never, refuses), Error);
  EXPECT_TRUE(heard.begun.empty());
}

TEST(RunJobs, AProcessThatWaitsEndsWithTheLastJob) {
  Heard heard;
  std::atomic<bool>* first = new (mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<bool>(true);
  run_jobs(
      3, 2, [](int64_t, const JobContext&) { return std::string(); }, heard.events(), never,
      [&](const std::function<bool()>& over) {
        if (first->exchange(false)) return;
        while (!over()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
  EXPECT_EQ(heard.results.size(), 3u);
  munmap(first, sizeof(*first));
}

TEST(RunJobs, AStopReachesJobsAtWorkAndBeginsNoOther) {
  Heard heard;
  run_jobs(
      100, 2,
      [](int64_t, const JobContext& context) -> std::string {
        context.tell(1);
        while (!context.stop_asked()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return "stopped";
      },
      heard.events(), [&] { return heard.told.size() == 2; });
  EXPECT_EQ(heard.results.size(), 2u);
  EXPECT_EQ(heard.begun.size(), 2u);
}

TEST(RunJobs, NoJobsAreDoneAtOnce) {
  Heard heard;
  run_jobs(
      0, 4, [](int64_t, const JobContext&) { return std::string(); }, heard.events(), never);
  EXPECT_TRUE(heard.begun.empty());
}

}  // namespace
}  // namespace kvscope
