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
  const LaunchOptions options = options_of(
      {"launch.slots=[0,GPU-1]", "launch.slurm.gres=gpu:1", "launch.slurm.minutes=90",
       "launch.command=[ssh,node1,kvscope,work,'{dir}']", "launch.slurm.setup=['module load x']"});
  EXPECT_THAT(*options.slots, testing::ElementsAre("0", "GPU-1"));
  EXPECT_EQ(options.slurm.gres, "gpu:1");
  EXPECT_EQ(options.slurm.minutes, 90);
  EXPECT_THAT(options.command, testing::ElementsAre("ssh", "node1", "kvscope", "work", "{dir}"));
  EXPECT_THAT(options.slurm.setup, testing::ElementsAre("module load x"));
  const auto hash = [](const std::vector<std::string>& overrides) {
    return points_of(tiny_model() + overrides, PointIdentity::kHashed, false).points.front().hash;
  };
  EXPECT_EQ(hash({}), hash({"launcher=slurm", "launch.slurm.partition=gpu", "launch.slots=[0]"}));
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
  EXPECT_EQ(file_says("launch: {slurm: {partition: gpu, memory: 8G}}\n"), "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kvscope
