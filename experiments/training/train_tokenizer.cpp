#include "experiments/training/train_tokenizer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/models/infinity/codes.h"
#include "core/models/infinity/vae.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/training_state.h"

namespace kvscope {
namespace {

at::Tensor tokenizer_loss(const TokenizerTraining& training,
                          const TensorMap& weights,
                          const at::Tensor& images) {
  const at::Tensor features = infinity::vae_encode(
      training.vae, weights, images.contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor summed =
      infinity::quantise(features.detach(), training.image, false, {}, nullptr, {}).summed;
  const at::Tensor straight_through = features + (summed - features).detach();
  const at::Tensor decoded = infinity::vae_decode(training.vae, weights, straight_through);
  const at::Tensor error = decoded - images;
  return error.square().mean() + 0.2 * error.abs().mean() +
         training.commitment * (features - summed).square().mean();
}

}  // namespace

TensorMap train_tokenizer(const TokenizerTraining& training, const TrainingReport& report) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(training.seed);
  auto specs = infinity::vae_encoder_tensors(training.vae);
  const auto decoder = infinity::vae_decoder_tensors(training.vae);
  specs.insert(specs.end(), decoder.begin(), decoder.end());
  TrainingState state(
      training.schedule, trainable(infinity::random_vae(specs, generator), training.device),
      {.learning_rate = training.learning_rate, .weight_decay = 0.0}, training.warmup_steps);
  return state.train(
      [&](int64_t step) {
        const ShapesBatch batch = shapes_batch(training.seed, step, training.schedule.batch);
        return tokenizer_loss(training, state.weights(), batch.images.to(training.device));
      },
      report);
}

}  // namespace kvscope
