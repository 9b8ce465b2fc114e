#include "experiments/training/train_tokenizer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <chrono>

#include "core/models/infinity/codes.h"
#include "core/models/infinity/vae.h"
#include "experiments/training/adamw.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/training_state.h"

namespace kvscope {
namespace {

at::Tensor tokenizer_loss(const TokenizerTraining& training,
                          const TensorMap& weights,
                          const at::Tensor& pictures) {
  const at::Tensor features = infinity::vae_encode(
      training.vae, weights, pictures.contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor summed =
      infinity::quantise(features.detach(), training.picture, false, {}, nullptr, {}).summed;
  const at::Tensor straight_through = features + (summed - features).detach();
  const at::Tensor decoded = infinity::vae_decode(training.vae, weights, straight_through);
  const at::Tensor error = decoded - pictures;
  return error.square().mean() + 0.2 * error.abs().mean() +
         training.commitment * (features - summed).square().mean();
}

}  // namespace

TensorMap train_tokenizer(const TokenizerTraining& training,
                          const std::function<bool(const TrainingProgress&)>& report) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(training.seed);
  auto specs = infinity::vae_encoder_tensors(training.vae);
  const auto decoder = infinity::vae_decoder_tensors(training.vae);
  specs.insert(specs.end(), decoder.begin(), decoder.end());
  const TensorMap weights = trainable(infinity::random_vae(specs, generator));
  AdamW optimiser(weights, {.learning_rate = training.learning_rate, .weight_decay = 0.0});
  const int64_t first_step = load_training(training.state_path, weights, optimiser);

  constexpr int64_t kReportEvery = 50;
  double loss_sum = 0;
  auto since = std::chrono::steady_clock::now();
  for (int64_t step = first_step; step < training.steps; ++step) {
    const ShapesBatch batch = shapes_batch(training.seed, step, training.batch);
    const at::Tensor loss = tokenizer_loss(training, weights, batch.pictures);
    loss.backward();
    const double norm =
        optimiser.step(warmup_cosine(step, training.warmup_steps, training.steps, 0.02));
    loss_sum += loss.item<double>();
    const bool last = step + 1 == training.steps;
    bool go_on = true;
    if ((step + 1) % kReportEvery == 0 || last) {
      const auto now = std::chrono::steady_clock::now();
      const double seconds = std::chrono::duration<double>(now - since).count();
      const int64_t steps_since =
          last && (step + 1) % kReportEvery != 0 ? (step + 1) % kReportEvery : kReportEvery;
      go_on = report({step + 1, loss_sum / static_cast<double>(steps_since),
                      static_cast<double>(steps_since * training.batch) / seconds, norm});
      loss_sum = 0;
      since = now;
    }
    if (!training.state_path.empty() &&
        (last || !go_on || (step + 1) % training.save_every_steps == 0)) {
      save_training(training.state_path, weights, optimiser, step + 1);
    }
    if (!go_on) break;
  }
  return optimiser.averaged();
}

}  // namespace kvscope
