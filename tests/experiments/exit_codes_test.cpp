// What the README says of exit codes, for every command.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sweep/sweep_testing.h"
#include "test_paths.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path sample_results() {
  const fs::path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("full", 1, 3), 0);
  write_sample_point(sweep, sample_point("snapkv", 0.5, 3), 2);
  return sweep;
}

/// The program's answer where its standard output is the file of that name, opened for writing.
Answer answer_into(const char* file, const std::vector<std::string>& arguments) {
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  const int full = open(file, O_WRONLY);
  dup2(full, STDOUT_FILENO);
  close(full);
  testing::internal::CaptureStderr();
  Answer result;
  result.exit_code = run_program(arguments);
  result.err = testing::internal::GetCapturedStderr();
  std::fflush(stdout);
  std::clearerr(stdout);
  dup2(kept, STDOUT_FILENO);
  close(kept);
  return result;
}

/// A command of every kind that prints, which ends well where its output can be written.
std::vector<std::vector<std::string>> printing_commands() {
  const std::string sweep = sample_results().string();
  const auto source = [](const char* name) { return (fs::path(kSourceDir) / name).string(); };
  return {{"--help"},
          {"--version"},
          {"run", "--help"},
          {"run", "--cfg", "job"},
          {"plan", "model=shapes_next_scale"},
          {"list", "policies"},
          {"list", "keys"},
          {"describe", "policy/snapkv"},
          {"describe", "gen.cfg"},
          {"table", sweep},
          {"table", sweep, "--format", "csv"},
          {"compare", sweep},
          {"plot", sweep},
          {"sheet", sweep},
          {"report", sweep},
          {"attention", "list"},
          {"attention", "show", source("tests/golden/attention_v1/next_scale.h5")},
          {"weights", "inspect", source("tests/golden/vq16_tiny.safetensors")},
          {"tokenize", source("tests/golden/bpe_tiny"), source("CMakeLists.txt")},
          {"verify", source("tests/golden/bpe_cases.json")}};
}

TEST(ExitCodes, OutputThatCannotBeWrittenIs3WhateverTheCommand) {
  for (const std::vector<std::string>& command : printing_commands()) {
    const std::string typed = fmt::format("{}", fmt::join(command, " "));
    EXPECT_EQ(answer_into("/dev/null", command).exit_code, 0) << typed;
    const Answer full = answer_into("/dev/full", command);
    EXPECT_EQ(full.exit_code, 3) << typed;
    EXPECT_THAT(full.err, HasSubstr("error: standard output cannot be written")) << typed;
  }
}

}  // namespace
}  // namespace kvscope
