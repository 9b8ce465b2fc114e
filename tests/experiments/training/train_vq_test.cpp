#include "experiments/training/train_vq.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_encoder.h"
#include "experiments/training/shapes_batches.h"

namespace kvscope {
namespace {

// Small enough to train for a few steps in a test.
VqTraining tiny() {
  VqTraining training;
  training.vq = {.base_channels = 4,
                 .channel_multipliers = {1, 1, 2},
                 .encoder_blocks = 1,
                 .latent_channels = 6,
                 .codebook_entries = 19,
                 .code_width = 4,
                 .norm_groups = 2};
  training.schedule = {.steps = 20, .batch = 2, .save_every_steps = 7};
  training.warmup_steps = 2;
  return training;
}

double error_of(const VqTraining& training, const TensorMap& weights) {
  return vq_quality(training.vq, weights, shapes_test_images(3, 4)).decibels;
}

TEST(TrainVq, TwentyStepsMakeImagesBetter) {
  VqTraining training = tiny();
  training.schedule.steps = 1;
  double first_loss = 0, last_loss = 0;
  const TensorMap early =
      train_vq(training, [&](const TrainingProgress& progress) { first_loss = progress.loss; });
  training.schedule.steps = 20;
  const TensorMap late =
      train_vq(training, [&](const TrainingProgress& progress) { last_loss = progress.loss; });
  EXPECT_LT(last_loss, first_loss);  // the mean of 20 steps below the first
  EXPECT_GT(error_of(training, late), error_of(training, early));
}

// Killed after any saved step, the same call goes on to exactly the weights of an uninterrupted
// run: codebook restarts too.
TEST(TrainVq, ResumesExactly) {
  const std::filesystem::path state =
      std::filesystem::path(testing::TempDir()) / "resume_vq.safetensors";
  std::filesystem::remove(state);
  VqTraining training = tiny();
  training.restart_share = 1;
  const auto quiet = [](const TrainingProgress&) {};
  const TensorMap straight = train_vq(training, quiet);

  training.schedule.state_path = state.string();
  // The only report comes at the last step, before its save: what is left is the state of step 14.
  EXPECT_THROW(
      train_vq(training, [](const TrainingProgress&) { throw std::runtime_error("killed"); }),
      std::runtime_error);
  const TensorMap resumed = train_vq(training, quiet);
  ASSERT_EQ(straight.size(), resumed.size());
  for (const auto& [name, weight] : straight) {
    EXPECT_TRUE(at::equal(weight, resumed.at(name))) << name;
  }
}

// Rows in directions drawn evenly are partly far from every feature; restarts bring them to use.
TEST(TrainVq, DeadCodesComeBack) {
  VqTraining training = tiny();
  training.vq.code_width = 12;
  training.vq.codebook_entries = 64;
  training.learning_rate = 1e-9;  // only restarts move anything
  const auto quiet = [](const TrainingProgress&) {};
  const at::Tensor images = shapes_test_images(3, 8);
  const auto used = [&](double restart_share) {
    training.restart_share = restart_share;
    return vq_quality(training.vq, train_vq(training, quiet), images).used_fraction;
  };
  EXPECT_GT(used(1), used(0) + 0.1);
}

TEST(VqQuality, IsThatOfTheRoundTrip) {
  const VqTraining training = tiny();
  const TensorMap weights = train_vq(training, [](const TrainingProgress&) {});
  const at::Tensor images = shapes_test_images(3, 3);
  const at::Tensor ids = vq_encode(training.vq, weights, images, "");
  const at::Tensor decoded = vq_decode(training.vq, weights, ids, "");
  double decibels = 0;
  for (int64_t i = 0; i < 3; ++i) {
    const at::Tensor wrong = decoded[i].clamp(-1, 1).sub(images[i]).mul(127.5).to(at::kDouble);
    decibels += 10 * std::log10(255.0 * 255.0 / wrong.square().mean().item<double>()) / 3;
  }
  const VqQuality quality = vq_quality(training.vq, weights, images);
  EXPECT_NEAR(quality.decibels, decibels, 1e-4);
  const auto distinct = std::get<0>(at::_unique(ids)).numel();
  EXPECT_NEAR(quality.used_fraction, static_cast<double>(distinct) / 19, 1e-6);
}

}  // namespace
}  // namespace kvscope
