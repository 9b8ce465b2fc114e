// What is timed, recorded and trained on a device.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/attention/attention_recorder.h"
#include "core/device/device_facts.h"
#include "core/device/work_clock.h"
#include "core/device/work_profile.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/training/train_tokenizer.h"
#include "experiments/training/train_vq.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/fake_device/fake_device.h"

namespace kvscope {
namespace {

Point point_of(const std::vector<std::string>& overrides) {
  return points_of(overrides, PointIdentity::kNone, false).points.front();
}

const std::vector<uint64_t> kTwoImages{0, 1};

TEST(WorkOnDevice, ClocksReadEventsAndNobodyWaitsForTheWholeDeviceInAStep) {
  const at::Device device = open_fake_device();
  const Point point =
      point_of(tiny_model() + std::vector<std::string>{"policy=snapkv", "budget.ratio=0.5"});
  const auto model = open_model(point.config.at("model"), data_root().string(), device);
  GenerationSession session(point, *model, device);
  const int64_t before = fake_device_synchronisations();
  const GeneratedBatch made = session.make(kTwoImages).generated;
  EXPECT_LE(fake_device_synchronisations(), before + 2) << "after the text, before the pixels";
  EXPECT_GT(made.times.attention_ms, 0);
  EXPECT_GT(made.times.policy_ms, 0);
  const double steps = std::accumulate(made.times.step_ms.begin(), made.times.step_ms.end(), 0.0);
  EXPECT_LT(made.times.attention_ms + made.times.policy_ms, steps);
}

TEST(WorkOnDevice, ManyScopesAreReadAsTheyCome) {
  WorkClock clock;
  const at::Tensor x = at::ones({8}, open_fake_device());
  for (int i = 0; i < 3000; ++i) {
    const WorkClock::Scope scope = clock.measure(x.device());
    x.add_(1);
  }
  EXPECT_GT(clock.total_ms(), 0);
  EXPECT_EQ(clock.total_ms(), clock.total_ms());
}

TEST(WorkOnDevice, TheProfileAddsUp) {
  const at::Device device = open_fake_device();
  const Point point =
      point_of(tiny_model() + std::vector<std::string>{"policy=snapkv", "budget.ratio=0.5"});
  const auto model = open_model(point.config.at("model"), data_root().string(), device);
  GenerationSession session(point, *model, device);
  const WorkProfile profile(device);
  session.make(kTwoImages);
  ASSERT_EQ(profile.steps().size(), 4);
  for (const StepWork& step : profile.steps()) {
    const double kinds = std::accumulate(step.kind_ms.begin(), step.kind_ms.end(), 0.0);
    EXPECT_GT(step.kind_ms[static_cast<size_t>(WorkKind::kLinear)], 0);
    EXPECT_GT(step.kind_ms[static_cast<size_t>(WorkKind::kSampling)], 0);
    EXPECT_NEAR(kinds + step.waiting_ms(), step.wall_ms, 1e-6);
  }
}

TEST(WorkOnDevice, LimitsAreMeasured) {
  const DeviceLimits limits = measured_limits(open_fake_device(), true);
  EXPECT_GT(limits.copy_gigabytes_per_s, 0);
  EXPECT_GT(limits.fp32_gemm_tflop_per_s, 0);
}

TEST(WorkOnDevice, ARecordIsThatOfTheCpu) {
  const auto record_on = [](at::Device device) {
    const Point point = point_of(tiny_model());
    const auto model = open_model(point.config.at("model"), data_root().string(), device);
    GenerationSession session(point, *model, device);
    AttentionRecorder recorder({.guided = point.generation.rows(1) == 2,
                                .top_keys = 3,
                                .sampled_queries = 0,
                                .raw_heads = {{1, 0}}});
    recorder.add_prompts({"a", "b"});
    session.make(kTwoImages, {&recorder});
    return recorder.record();
  };
  const AttentionRecord cpu = record_on(at::kCPU);
  const AttentionRecord device = record_on(open_fake_device());
  EXPECT_EQ(device.images, 2);
  // Attention to the text is another sequence of operators there: the last bits differ.
  ASSERT_EQ(device.arrays.size(), cpu.arrays.size());
  for (const auto& [name, array] : cpu.arrays) {
    const std::vector<double>& found = device.array(name).values;
    ASSERT_EQ(found.size(), array.values.size()) << name;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], array.values[i], 1e-5 * std::max(1.0, std::abs(array.values[i])))
          << name;
    }
  }
}

TEST(WorkOnDevice, TrainingTakesItsSteps) {
  VqTraining vq;
  vq.vq = {.base_channels = 4,
           .channel_multipliers = {1, 1, 2},
           .encoder_blocks = 1,
           .latent_channels = 6,
           .codebook_entries = 19,
           .code_width = 4,
           .norm_groups = 2};
  vq.schedule = {.steps = 3, .batch = 2};
  vq.warmup_steps = 1;
  const auto weights_on = [&](at::Device device) {
    vq.device = device;
    return train_vq(vq, [](const TrainingProgress&) {});
  };
  // Devices first: autograd counts them at the first backward pass.
  const TensorMap device = weights_on(open_fake_device());
  const TensorMap cpu = weights_on(at::kCPU);
  for (const auto& [name, tensor] : cpu) {
    // Softmax does not see what is added to all keys: this gradient is rounding alone.
    if (name.ends_with("k.bias")) continue;
    EXPECT_TRUE(at::allclose(device.at(name).cpu(), tensor, 1e-4, 1e-5)) << name;
  }
}

}  // namespace
}  // namespace kvscope
