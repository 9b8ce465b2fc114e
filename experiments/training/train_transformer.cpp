#include "experiments/training/train_transformer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/models/infinity/codes.h"
#include "core/models/infinity/teacher_forcing.h"
#include "core/models/infinity/vae.h"
#include "core/text/captions/caption_batch.h"
#include "core/text/captions/t5_tensors.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/training_state.h"

namespace kvscope {
namespace {

// T5's own start: see t5_encoder.h for the shapes.
TensorMap random_text_encoder(const T5Config& config, at::Generator generator) {
  TensorMap weights;
  for (const auto& [name, shape] : t5_tensors(config)) {
    at::Tensor tensor = at::ones(shape, at::kFloat);
    if (shape.size() == 2) {
      double deviation = 1.0 / std::sqrt(static_cast<double>(shape[1]));
      if (name == "shared.weight") deviation = 1.0;
      if (name.ends_with("q.weight")) deviation /= std::sqrt(static_cast<double>(config.d_kv));
      tensor.normal_(0, deviation, generator);
    }
    weights.set(name, tensor);
  }
  return weights;
}

struct Batch {
  std::vector<at::Tensor> inputs;   // [scales - 1][B, tokens, bits]
  std::vector<at::Tensor> targets;  // [scales][B, tokens, bits] u8
  std::vector<at::Tensor> shares;   // [scales][B, tokens, bits]: weights of the bits, mean 1
  CaptionBatch captions;
  at::Tensor dropped;  // [B] bool: condition replaced by cfg_uncond
};

class Trainer {
 public:
  Trainer(const TransformerTraining& training, const TensorMap& vae_weights)
      : training_(training),
        vae_weights_(vae_weights.to(training.device)),
        tokenizer_(SentencePiece::from_file(training.vocabulary_path)),
        state_(training.schedule,
               start_weights(training),
               {.learning_rate = training.learning_rate},
               training.warmup_steps) {}

  TensorMap train(const TrainingReport& report) {
    return state_.train([this](int64_t step) { return loss_of(prepare(step)); }, report);
  }

 private:
  static TensorMap start_weights(const TransformerTraining& training) {
    if (!training.start.empty()) return trainable(training.start, training.device);
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(training.seed);
    TensorMap start;
    for (const auto& [name, tensor] :
         infinity::random_transformer(training.transformer, generator)) {
      if (!name.ends_with("zero_k_bias")) start.set("model." + name, tensor);
    }
    for (const auto& [name, tensor] : random_text_encoder(training.text, generator)) {
      start.set("t5." + name, tensor);
    }
    return trainable(start, training.device);
  }

  // Everything random of a step comes from (seed, step), so that a resumed training repeats it.
  Batch prepare(int64_t index) const {
    const at::NoGradGuard no_grad;
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(
        training_.seed * 1000003 + static_cast<uint64_t>(index));
    const ShapesBatch shapes =
        shapes_batch(training_.seed + 1, index, training_.schedule.batch, training_.skill_shares);
    const at::Tensor draws = at::rand({2 + training_.schedule.batch}, generator);
    const double progress =
        static_cast<double>(index) / static_cast<double>(training_.schedule.steps);
    const double full_share = training_.full_share_first +
                              (training_.full_share_last - training_.full_share_first) * progress;
    const auto all_scales = static_cast<int64_t>(training_.image.schedule.size());
    const int64_t scales =
        draws[0].item<double>() < full_share ? all_scales : training_.short_scales;
    const double flips = draws[1].item<double>() * training_.flip_probability;

    const at::Tensor features =
        infinity::vae_encode(training_.vae, vae_weights_, shapes.images.to(training_.device));
    Batch batch;
    const auto quantised = infinity::quantise(
        features, training_.image, training_.transformer.patchify,
        std::vector<double>(static_cast<size_t>(all_scales), flips), &batch.inputs, generator);
    batch.inputs.resize(static_cast<size_t>(scales - 1));
    for (int64_t si = 0; si < scales; ++si) {
      at::Tensor bits = quantised.bits[static_cast<size_t>(si)];
      at::Tensor magnitudes = quantised.magnitudes[static_cast<size_t>(si)];
      if (training_.transformer.patchify) {
        bits = infinity::patch_bits(bits);
        magnitudes = infinity::patch_bits(magnitudes);
      }
      batch.targets.push_back(bits.flatten(1, 2));
      batch.shares.push_back((magnitudes / magnitudes.mean()).flatten(1, 2));
    }
    batch.captions =
        caption_batch(tokenizer_, shapes.captions, training_.transformer.text_max_tokens);
    batch.captions.ids = batch.captions.ids.to(training_.device);
    batch.captions.mask = batch.captions.mask.to(training_.device);
    batch.dropped = draws.narrow(0, 2, training_.schedule.batch) < training_.condition_dropout;
    batch.dropped = batch.dropped.to(training_.device);
    return batch;
  }

  at::Tensor loss_of(const Batch& batch) const {
    const infinity::TransformerConfig& config = training_.transformer;
    const infinity::TransformerWeights model =
        infinity::resolve_transformer(config, state_.weights(), "model.");
    at::Tensor features =
        t5_encode(training_.text, state_.weights(), batch.captions.ids, batch.captions.mask, "t5.");
    const at::Tensor unconditional =
        model.cfg_uncond.narrow(0, 0, features.size(1)).unsqueeze(0).expand_as(features);
    features = at::where(batch.dropped.view({-1, 1, 1}), unconditional, features);
    const infinity::Conditioning conditioning =
        infinity::condition(config, model, {features, batch.captions.lengths});
    const auto scales = static_cast<int64_t>(batch.targets.size());
    const at::Tensor logits = infinity::teacher_forcing(config, model, training_.image,
                                                        conditioning, batch.inputs, scales);
    at::Tensor total = at::zeros({}, logits.options());
    int64_t first = 0;
    for (size_t si = 0; si < batch.targets.size(); ++si) {
      const at::Tensor& target = batch.targets[si];
      const at::Tensor part = logits.narrow(1, first, target.size(1)).unflatten(-1, {-1, 2});
      // Two classes: the log-likelihood of a bit is the log-sigmoid of the signed logit difference.
      const at::Tensor margin = part.select(-1, 1) - part.select(-1, 0);
      const at::Tensor sign = target.to(at::kFloat) * 2 - 1;
      total = total - (at::log_sigmoid(margin * sign) * batch.shares[si]).mean();
      first += target.size(1);
    }
    return total / static_cast<double>(batch.targets.size());
  }

  const TransformerTraining& training_;
  TensorMap vae_weights_;
  SentencePiece tokenizer_;
  TrainingState state_;
};

}  // namespace

TensorMap train_transformer(const TransformerTraining& training,
                            const TensorMap& vae_weights,
                            const TrainingReport& report) {
  Trainer trainer(training, vae_weights);
  return trainer.train(report);
}

}  // namespace kvscope
