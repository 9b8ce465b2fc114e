#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "sweep_testing.h"
#include "test_paths.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

struct Ended {
  int exit_code = -1;
  std::string errors;
};

/// The program in a process whose files cannot grow beyond `file_bytes`: as on a full disk, write()
/// fails somewhere in the middle.
Ended run_with_little_room(std::vector<std::string> words, rlim_t file_bytes) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2] = {};
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    setenv("KVSCOPE_CONFIGS", (fs::path(kSourceDir) / "configs").c_str(), 1);
    (void)freopen("/dev/null", "w", stdout);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    signal(SIGXFSZ, SIG_IGN);  // write() then fails with EFBIG
    const rlimit limit{file_bytes, file_bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  Ended ended;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    ended.errors.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

TEST(FullDisk, AtEverySizeOneMessageAndTheSweepGoesOnLater) {
  const ResultsFolder folder("full_disk");
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"policy=full,sliding_window", "budget.ratio=0.5",
                                              "gen.images=4", "threads=1"};
  const fs::path program = fs::path(kBinaryDir) / "experiments" / "kvscope";
  if (!fs::exists(program)) GTEST_SKIP() << "the program is not built";
  const std::vector<std::string> words =
      std::vector<std::string>{program.string(), "run", "-m", folder.override_text()} + overrides;
  for (const rlim_t free_bytes : {0, 300, 3000, 12000, 40000}) {
    const Ended full = run_with_little_room(words, free_bytes);
    EXPECT_EQ(full.exit_code, 3) << free_bytes << " bytes: " << full.errors;
    EXPECT_THAT(full.errors, testing::HasSubstr("error: ")) << free_bytes;
    EXPECT_THAT(full.errors, testing::HasSubstr(folder.path().string())) << free_bytes;
    EXPECT_THAT(full.errors, testing::HasSubstr("File too large")) << free_bytes;
    EXPECT_EQ(std::ranges::count(full.errors, '\n'), 1) << full.errors;
  }
  const Sweep sweep = sweep_of(overrides, folder);
  ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
  for (const Point& point : sweep.list.points) EXPECT_EQ(results_of(point, folder).rows.size(), 4);
}

}  // namespace
}  // namespace kvscope
