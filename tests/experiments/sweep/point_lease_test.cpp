#include "experiments/sweep/point_lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

fs::path fresh() {
  const fs::path folder = test_file("points") / "0123456789ab";
  fs::remove_all(folder.parent_path());
  return folder;
}

/// What a holder on another machine would have left, whose lock nobody sees here.
void write_foreign(const fs::path& folder, std::chrono::seconds ago) {
  fs::create_directories(folder);
  std::ofstream(folder / ".lease")
      << nlohmann::json{{"host", "elsewhere"}, {"process", 7}, {"token", "t"}};
  fs::last_write_time(folder / ".lease", fs::file_time_type::clock::now() - ago);
}

TEST(PointLease, OneHolderAtATimeWhoIsNamed) {
  const fs::path folder = fresh();
  EXPECT_FALSE(PointLease::holder(folder));
  {
    const auto first = PointLease::try_take(folder);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->is_held());
    EXPECT_FALSE(PointLease::try_take(folder));
    const auto holder = PointLease::holder(folder);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->process, getpid());
    EXPECT_THAT(holder->text(), testing::HasSubstr(std::to_string(getpid())));
  }
  EXPECT_FALSE(PointLease::holder(folder));
  EXPECT_TRUE(PointLease::try_take(folder));
}

TEST(PointLease, AKilledHolderLeavesNone) {
  const fs::path folder = fresh();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lease = PointLease::try_take(folder);
    const char taken = lease ? 'y' : 'n';
    if (write(ready[1], &taken, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char taken = 0;
  ASSERT_EQ(read(ready[0], &taken, 1), 1);
  EXPECT_EQ(taken, 'y');
  EXPECT_FALSE(PointLease::try_take(folder));
  // A holder that is stopped is still the holder.
  kill(child, SIGSTOP);
  EXPECT_FALSE(PointLease::try_take(folder));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(PointLease::try_take(folder));
}

TEST(PointLease, AHolderElsewhereCountsAsLongAsItIsHeardOf) {
  const fs::path folder = fresh();
  write_foreign(folder, std::chrono::seconds(1));
  EXPECT_FALSE(PointLease::try_take(folder));
  EXPECT_EQ(PointLease::holder(folder)->host, "elsewhere");
  write_foreign(folder, 2 * PointLease::kLongestSilence);
  EXPECT_FALSE(PointLease::holder(folder));
  EXPECT_TRUE(PointLease::try_take(folder));
}

TEST(PointLease, TheLimitOfSilenceCanBeShortened) {
  const fs::path folder = fresh();
  write_foreign(folder, std::chrono::seconds(3));
  EXPECT_FALSE(PointLease::try_take(folder));
  setenv("KVSCOPE_LEASE_SECONDS", "2", 1);
  EXPECT_TRUE(PointLease::try_take(folder));
  setenv("KVSCOPE_LEASE_SECONDS", "0", 1);  // nonsense counts as not said
  EXPECT_EQ(PointLease::longest_silence(), PointLease::kLongestSilence);
  unsetenv("KVSCOPE_LEASE_SECONDS");
}

TEST(PointLease, LookingDisturbsNobodyWhoTakes) {
  const fs::path folder = fresh();
  { const auto before = PointLease::try_take(folder); }
  std::atomic<bool> ended = false;
  std::jthread looking([&] {
    while (!ended) PointLease::holder(folder);
  });
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(PointLease::try_take(folder));
  ended = true;
}

TEST(PointLease, WhoeverIsTakenOverNotices) {
  const fs::path folder = fresh();
  const auto lease = PointLease::try_take(folder);
  ASSERT_TRUE(lease);
  write_foreign(folder, std::chrono::seconds(0));
  EXPECT_FALSE(lease->is_held());
}

TEST(PointLease, HalfAFileIsNobodys) {
  const fs::path folder = fresh();
  fs::create_directories(folder);
  std::ofstream(folder / ".lease") << R"({"host": "elsewh)";
  EXPECT_FALSE(PointLease::holder(folder));
  EXPECT_TRUE(PointLease::try_take(folder));
}

TEST(PointLease, AFolderThatCannotBeWrittenIsNamed) {
  try {
    PointLease::try_take("/proc/kvscope");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), testing::HasSubstr("/proc/kvscope"));
  }
}

}  // namespace
}  // namespace kvscope
