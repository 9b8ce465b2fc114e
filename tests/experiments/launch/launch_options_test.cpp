#include "experiments/launch/launch_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// The `launch` keys of one point of these overrides.
LaunchOptions options_of(const std::vector<std::string>& overrides, const fs::path& folder = {}) {
  const ConfigArguments arguments{.config_folder = folder, .overrides = tiny_model() + overrides};
  return list_points(compose_request(arguments), data_root().string(), PointIdentity::kNone)
      .points.front()
      .launch.options;
}

std::string refusal(const std::vector<std::string>& overrides, const fs::path& folder = {}) {
  try {
    options_of(overrides, folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "";
}

TEST(LaunchOptions, AreReadAndChangeNoHash) {
  EXPECT_THAT(*options_of({"launch.slots=[0,GPU-1]"}).slots, testing::ElementsAre("0", "GPU-1"));
  const SlurmOptions slurm =
      options_of({"launcher=slurm", "launch.slurm.gres=gpu:1", "launch.slurm.minutes=90",
                  "launch.slurm.setup=['module load x']"})
          .slurm;
  EXPECT_EQ(slurm.gres, "gpu:1");
  EXPECT_EQ(slurm.minutes, 90);
  EXPECT_THAT(slurm.setup, testing::ElementsAre("module load x"));
  EXPECT_THAT(
      options_of({"launcher=command", "launch.command=[ssh,node1,kvscope,work,'{dir}']"}).command,
      testing::ElementsAre("ssh", "node1", "kvscope", "work", "{dir}"));
  const auto hash = [](const std::vector<std::string>& overrides) {
    return points_of(tiny_model() + overrides, PointIdentity::kHashed, false).points.front().hash;
  };
  EXPECT_EQ(hash({}), hash({"launcher=slurm", "launch.slurm.partition=gpu"}));
  EXPECT_EQ(hash({}), hash({"workers=2", "launch.slots=[0]"}));
}

TEST(LaunchOptions, WhatTheChosenLauncherDoesNotReadIsRefusedOnTheCommandLine) {
  struct Case {
    std::vector<std::string> overrides;
    const char* reader;
  };
  for (const Case& one :
       {Case{{"launch.command=[echo]"}, "command"}, Case{{"launch.tasks=2"}, "command"},
        Case{{"launch.slurm.partition=gpu"}, "slurm"}, Case{{"launch={slurm: {cpus: 2}}"}, "slurm"},
        Case{{"workers=2", "launch.slurm.wait=false"}, "slurm"},
        Case{{"launcher=serial", "workers=8"}, "processes"},
        Case{{"launcher=slurm", "workers=8"}, "processes"},
        Case{{"launcher=serial", "launch.slots=[7]"}, "processes"},
        Case{{"launcher=slurm", "launch.slots=[7]"}, "processes"},
        Case{{"launcher=slurm", "launch.command=[echo]"}, "command"}}) {
    EXPECT_THAT(refusal(one.overrides),
                testing::HasSubstr("; launcher=" + std::string(one.reader) + " reads it"))
        << one.overrides.back();
    EXPECT_THROW(points_of(tiny_model() + one.overrides, PointIdentity::kNone), Error)
        << one.overrides.back() << " of a sweep";
  }
  for (const std::vector<std::string>& read : std::vector<std::vector<std::string>>{
           {"workers=8"},
           {"workers=null"},
           {"launcher=processes", "workers=2", "launch.slots=[0]"},
           {"launcher=serial", "workers=1"},
           {"launcher=command", "launch.tasks=2", "launch.command=[echo]"}}) {
    EXPECT_EQ(refusal(read), "") << read.back();
  }
}

TEST(LaunchOptions, WhatASchedulerWouldMisreadIsRefused) {
  EXPECT_THAT(refusal({"launch.slurm.partition='gpu --wrap=x'"}), testing::HasSubstr("partition"));
  EXPECT_THAT(refusal({"launch.slurm.gres='gpu:1\n'"}), testing::HasSubstr("gres"));
  EXPECT_THAT(refusal({"launch.slurm.extra=[rm]"}), testing::HasSubstr("--NAME"));
  EXPECT_THAT(refusal({"launch.slurm.setup=['a\nb']"}), testing::HasSubstr("line break"));
  EXPECT_THAT(refusal({"launch.slots=[../x]"}), testing::HasSubstr("no number or name"));
  EXPECT_THAT(refusal({"launch.slots=[0,0]"}), testing::HasSubstr("twice"));
  EXPECT_THAT(refusal({"launch.slurm.partiton=gpu"}), testing::HasSubstr("launch.slurm.partition"));
}

TEST(LaunchOptions, AConfigurationFileRunsNothing) {
  const fs::path folder = test_file("configs");
  fs::remove_all(folder);
  fs::create_directories(folder / "experiment");
  const auto file_says = [&](const std::string& yaml) {
    std::ofstream(folder / "experiment" / "mine.yaml") << "# @package _global_\n" << yaml;
    return refusal({"+experiment=mine"}, folder);
  };
  for (const char* yaml :
       {"launch: {command: [touch, x]}\n", "launch: {slurm: {setup: [touch x]}}\n",
        "launch: {slurm: {extra: [--export=LD_PRELOAD=x]}}\n", "launch: {command: touch}\n",
        "hydra: {mode: MULTIRUN}\nlaunch: {command: \"${prompts.source}\"}\n"}) {
    EXPECT_THAT(file_says(yaml), testing::HasSubstr("command line only")) << yaml;
  }
  EXPECT_EQ(file_says("workers: 2\nlaunch: {tasks: 3, slurm: {partition: gpu, memory: 8G}}\n"), "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kvscope
