#include "experiments/training/train_tokenizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace kvscope {
namespace {

// Small enough to train for a few steps in a test.
TokenizerTraining tiny() {
  TokenizerTraining training;
  training.vae = {.code_bits = 4,
                  .base_channels = 4,
                  .channel_multipliers = {1, 1, 2},
                  .encoder_blocks = 1,
                  .norm_groups = 2};
  training.image.schedule = {{1, 1}, {4, 4}, {16, 16}};
  training.image.rope_grid = {16, 16};
  training.schedule = {.steps = 60, .batch = 2, .save_every_steps = 7};
  training.warmup_steps = 5;
  return training;
}

TEST(TrainTokenizer, LossFalls) {
  TokenizerTraining training = tiny();
  std::vector<double> losses;
  train_tokenizer(training,
                  [&](const TrainingProgress& progress) { losses.push_back(progress.loss); });
  ASSERT_EQ(losses.size(), 2u);  // after 50 steps and at the end
  EXPECT_LT(losses[1], losses[0]);
}

// Killed after any saved step, the same call goes on to exactly the weights of an uninterrupted
// run.
TEST(TrainTokenizer, ResumesExactly) {
  const std::filesystem::path state =
      std::filesystem::path(testing::TempDir()) / "resume_autoencoder.safetensors";
  std::filesystem::remove(state);
  TokenizerTraining training = tiny();
  training.schedule.steps = 12;
  const auto quiet = [](const TrainingProgress&) {};
  const TensorMap straight = train_tokenizer(training, quiet);

  training.schedule.state_path = state.string();
  training.schedule.save_every_steps = 1;
  // The only report comes at the last step, before its save: what is left is the state of step 11.
  EXPECT_THROW(train_tokenizer(training,
                               [](const TrainingProgress&) { throw std::runtime_error("killed"); }),
               std::runtime_error);
  const TensorMap resumed = train_tokenizer(training, quiet);
  for (const auto& [name, weight] : straight) {
    EXPECT_TRUE(at::equal(weight, resumed.at(name))) << name;
  }
}

}  // namespace
}  // namespace kvscope
