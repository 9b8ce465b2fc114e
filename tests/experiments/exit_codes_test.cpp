// What the README says of exit codes, for every command.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
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
  fs::path sweep = fresh_folder("sweep");
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

/// Everything in a folder, so that nothing new in it goes unseen.
std::vector<std::string> content_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().string());
  }
  std::ranges::sort(names);
  return names;
}

TEST(ExitCodes, AfterA2NothingRanAndNothingWasWritten) {
  const fs::path folder = fresh_folder("wrong");
  const std::string sweep = sample_results().string();
  const std::string out = (folder / "out").string();
  const std::string place = "hydra.run.dir=" + out;
  const std::vector<std::vector<std::string>> wrong = {
      {"run", place, "policy=snapvk"},
      {"run", place, "gen.imges=3"},
      {"run", place, "gen.batch=many"},
      {"run", place, "-m", "policy=full,snapkv", "budget.ratio=0.5,9"},
      {"run", place, "--pluggin", "x"},
      {"plan", "budget.ratio=-1"},
      {"generate", "policy=snapvk", "--out", out},
      {"generate", "-m", "policy=full,snapkv", "--out", out},
      {"train", "model=shapes_next_scale", "+train=shapes_next_scale", "train.stepps=1",
       "train.folder=" + out},
      {"train", "model=shapes_next_scale", "+train=shapes_next_scale", "train.folder=" + out,
       "model.picture.schedule=[[1,1],[2,2]]"},
      {"list", "polices"},
      {"describe", "policy/snapvk"},
      {"table", sweep, "--format", "cvs"},
      {"compare", sweep, "--metric", "pnsr"},
      {"compare", sweep, "--against", "snapvk"},
      {"plot", sweep, "--metric", "pnsr"},
      {"plot", sweep, "--highlight", "snapvk"},
      {"sheet", sweep, "--prompts", "0"},
      {"sheet", sweep, "--only", "policy=snapvk"},
      {"report", sweep, "--titel", "x"},
      {"attention", "record", "policy=snapvk", "--out", out},
      {"attention", "record", "--statistics", "step_mas", "--out", out},
      {"attention", "record", "--raw", "99:0", "--out", out},
      {"attention", "show", out, "--rosw", "layer"},
      {"weights", "convert", out},
      {"tokenize"},
      {"verify"},
      {"device", "tmie"},
      {"nonsense"}};
  const auto before = content_of(folder);
  const auto sweep_before = content_of(sweep);
  for (const std::vector<std::string>& command : wrong) {
    const std::string typed = fmt::format("{}", fmt::join(command, " "));
    const Answer refused = answer(command);
    EXPECT_EQ(refused.exit_code, 2) << typed << refused.err;
    EXPECT_THAT(refused.err, testing::StartsWith("error: ")) << typed;
    EXPECT_EQ(refused.out, "") << typed;
    EXPECT_EQ(content_of(folder), before) << typed;
    EXPECT_EQ(content_of(sweep), sweep_before) << typed;
  }
}

TEST(ExitCodes, WhatCannotBeReadIs3) {
  const std::string nowhere = (fresh_folder("nowhere") / "x").string();
  const std::vector<std::vector<std::string>> commands = {
      {"run", "model.weights=" + nowhere, "hydra.run.dir=" + nowhere},
      {"run", "prompts=file", "prompts.file=" + nowhere, "hydra.run.dir=" + nowhere},
      {"table", nowhere},
      {"compare", nowhere},
      {"plot", nowhere},
      {"sheet", nowhere},
      {"report", nowhere},
      {"attention", "show", nowhere},
      {"attention", "roles", nowhere},
      {"attention", "heads", nowhere},
      {"weights", "inspect", nowhere},
      {"weights", "convert", nowhere, nowhere + ".safetensors"},
      {"tokenize", nowhere},
      {"verify", nowhere}};
  for (const std::vector<std::string>& command : commands) {
    const Answer refused = answer(command);
    EXPECT_EQ(refused.exit_code, 3) << fmt::format("{}", fmt::join(command, " ")) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(nowhere));
  }
}

}  // namespace
}  // namespace kvscope
