#include "experiments/training/train_vq.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_encoder.h"
#include "core/models/vq/vq_quantiser.h"
#include "core/models/vq/vq_tensors.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/training_state.h"

namespace kvscope {
namespace {

constexpr const char* kUsage = "quantize.usage";
constexpr double kUsageDecay = 0.98;
constexpr double kDeadUsage = 0.1;  // of the average code's

class VqTrainer {
 public:
  explicit VqTrainer(const VqTraining& training)
      : training_(training),
        state_(training.schedule,
               start_weights(training),
               {.learning_rate = training.learning_rate, .weight_decay = 0.0},
               training.warmup_steps) {}

  TensorMap train(const TrainingReport& report) {
    return state_.train([this](int64_t step) { return loss_of(step); }, report);
  }

 private:
  at::Tensor loss_of(int64_t index) {
    const ShapesBatch batch = shapes_batch(training_.seed, index, training_.schedule.batch);
    const at::Tensor images =
        batch.images.to(training_.device).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor features = vq_encode_features(training_.vq, state_.weights(), images);
    const auto steps = static_cast<double>(training_.schedule.steps);
    if (static_cast<double>(index) < training_.restart_share * steps) restart(features, index);
    const VqQuantised quantised = vq_quantise(vq_codebook(state_.weights()), features);
    count(quantised.ids);
    return loss_of(images, quantised);
  }

  // The share of pixels that every code gets is state too: a resumed training restarts the same
  // codes.
  static TensorMap start_weights(const VqTraining& training) {
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(training.seed);
    TensorMap weights = trainable(random_vq(vq_tensors(training.vq), generator), training.device);
    weights.set(kUsage, at::zeros({training.vq.codebook_entries},
                                  at::TensorOptions(at::kFloat).device(training.device)));
    return weights;
  }

  at::Tensor loss_of(const at::Tensor& images, const VqQuantised& quantised) const {
    const at::Tensor decoded =
        vq_decode_codes(training_.vq, state_.weights(), quantised.straight_through());
    const at::Tensor error = decoded - images;
    return error.square().mean() + 0.2 * error.abs().mean() +
           (quantised.codes - quantised.features.detach()).square().mean() +
           training_.commitment * (quantised.features - quantised.codes.detach()).square().mean();
  }

  void count(const at::Tensor& ids) {
    at::Tensor usage = state_.weights().at(kUsage);
    const at::Tensor counts = at::bincount(ids.view({-1}), {}, usage.size(0)).to(at::kFloat);
    usage.lerp_(counts / static_cast<double>(ids.numel()), 1 - kUsageDecay);
  }

  // Puts codes that are hardly used, at first all, onto features drawn with a probability that
  // grows with their distance from the nearest code.
  void restart(const at::Tensor& features, int64_t index) {
    const at::NoGradGuard no_grad;
    at::Tensor usage = state_.weights().at(kUsage);
    const double average = 1.0 / static_cast<double>(usage.size(0));
    const at::Tensor dead = (usage < kDeadUsage * average).nonzero().squeeze(1);
    if (dead.numel() == 0) return;
    const VqQuantised now = vq_quantise(vq_codebook(state_.weights()), features);
    const at::Tensor distances = (now.features - now.codes).square().sum(1).view({-1});
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(
        training_.seed * 1000003 + static_cast<uint64_t>(index));
    const at::Tensor chosen = at::multinomial(distances.cpu() + 1e-8, dead.numel(),
                                              /*replacement=*/true, generator)
                                  .to(distances.device());
    const at::Tensor pixels =
        now.features.permute({0, 2, 3, 1}).reshape({-1, now.features.size(1)});
    at::Tensor rows = state_.weights().at("quantize.embedding.weight");
    rows.index_copy_(0, dead, pixels.index_select(0, chosen));
    usage.index_fill_(0, dead, average);
  }

  const VqTraining& training_;
  TrainingState state_;
};

}  // namespace

TensorMap train_vq(const VqTraining& training, const TrainingReport& report) {
  VqTrainer trainer(training);
  return trainer.train(report);
}

VqQuality vq_quality(const VqConfig& vq, const TensorMap& weights, const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  constexpr int64_t kAtOnce = 16;
  const at::Tensor ids = vq_encode(vq, weights, images, "", kAtOnce);
  const at::Tensor decoded = vq_decode(vq, weights, ids, "", kAtOnce).clamp(-1, 1);
  const at::Tensor error = ((decoded - images) / 2).square().mean({1, 2, 3});
  const at::Tensor used = at::bincount(ids.view({-1}), {}, vq.codebook_entries) > 0;
  return {.decibels = error.log10().mul(-10).mean().item<double>(),
          .used_fraction = used.to(at::kFloat).mean().item<double>()};
}

}  // namespace kvscope
