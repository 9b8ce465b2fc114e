#include "core/device/device.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(DeviceCommand, InfoNamesTheCpuAndItsLimits) {
  const Answer text = answer({"device", "info", "--device", "cpu", "--quick"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("cpu: "), HasSubstr("GB/s"), HasSubstr("TFLOP/s")));
  const auto lines =
      lines_of(answer({"device", "info", "--device", "cpu", "--quick", "--json"}).out);
  ASSERT_EQ(lines.size(), 1);
  EXPECT_GT(lines[0].at("copy_gigabytes_per_s"), 0);
  EXPECT_TRUE(lines[0].at("driver").is_null());
}

TEST(DeviceCommand, TheCpuAgreesWithItselfUnderEveryPolicyOfASweep) {
  const Answer made =
      answer(std::vector<std::string>{"device", "agree", "-m", "--json"} + tiny_model() +
             std::vector<std::string>{"policy=full,snapkv", "budget.ratio=0.5"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const auto lines = lines_of(made.out);
  ASSERT_EQ(lines.size(), 2);
  for (const json& line : lines) {
    EXPECT_TRUE(line.at("ok"));
    EXPECT_EQ(line.at("images"), 5);
    EXPECT_EQ(line.at("images_equal"), 5);
    EXPECT_EQ(line.at("tokens_equal_share"), 1.0);
    EXPECT_TRUE(line.at("first_difference_step").is_null());
    EXPECT_TRUE(line.at("kept_equal"));
    EXPECT_EQ(line.at("kv_live_bytes"), line.at("kv_live_planned_bytes"));
    EXPECT_EQ(line.at("arena_bytes"), line.at("arena_planned_bytes"));
  }
  EXPECT_THAT(lines[1].at("point"), HasSubstr("snapkv, 50 %"));
}

TEST(DeviceCommand, TimeTellsStepsAndKindsOfWorkApart) {
  const Answer made =
      answer(std::vector<std::string>{"device", "time", "--work", "--json"} + tiny_model());
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const auto lines = lines_of(made.out);
  ASSERT_EQ(lines.size(), 1);
  const json& line = lines[0];
  EXPECT_EQ(line.at("batch"), 2);
  EXPECT_EQ(line.at("steps"), 4);
  EXPECT_GT(line.at("median_step_ms"), 0);
  EXPECT_GT(line.at("weights_bytes"), 0);
  EXPECT_EQ(line.at("kv_peak_bytes"), line.at("kv_peak_planned_bytes"));
  const json& work = line.at("work");
  EXPECT_EQ(work.at("step"), 3) << "the largest scale";
  double sum = 0;
  for (const char* kind :
       {"linear", "attention", "decision", "copies", "sampling", "other", "waiting"}) {
    sum += work.at(std::string(kind) + "_ms").get<double>();
  }
  EXPECT_NEAR(sum, work.at("wall_ms").get<double>(), 1e-6);
}

TEST(DeviceCommand, WhatCannotBeIsSaidBeforeAnythingRuns) {
  const Answer few = answer(std::vector<std::string>{"device", "time"} + tiny_model() +
                            std::vector<std::string>{"gen.batch=9"});
  EXPECT_EQ(few.exit_code, 2);
  EXPECT_THAT(few.err, HasSubstr("gen.images=9"));
  EXPECT_EQ(answer({"device", "inf"}).exit_code, 2);
  EXPECT_THAT(answer({"device", "inf"}).err, HasSubstr("'info'"));
  if (gpu_count() > 0) GTEST_SKIP() << "this machine has a GPU";
  for (const auto& command : {std::vector<std::string>{"device", "info", "--device", "cuda"},
                              {"device", "time", "device=cuda"},
                              {"device", "agree", "device=cuda"},
                              {"verify", "--device", "cuda", "x.safetensors"}}) {
    const Answer said = answer(command);
    EXPECT_EQ(said.exit_code, 3);
    EXPECT_THAT(said.err, HasSubstr("no usable GPU here"));
    EXPECT_EQ(said.out, "");
  }
}

TEST(DeviceCommand, AutoIsTheSamePointAsWhatItStandsFor) {
  if (gpu_count() > 0) GTEST_SKIP() << "this machine has a GPU";
  const auto hash_of = [](const std::string& device) {
    ConfigArguments arguments;
    arguments.overrides = tiny_model() + std::vector<std::string>{"device=" + device};
    return list_points(compose_request(arguments), data_root().string(), PointIdentity::kHashed)
        .points.front()
        .hash;
  };
  EXPECT_EQ(hash_of("auto"), hash_of("cpu"));
}

}  // namespace
}  // namespace kvscope
