#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/models/infinity/codes.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/vae.h"
#include "core/text/tokenizers/sentencepiece_train.h"
#include "experiments/training/model_training.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/train_tokenizer.h"
#include "experiments/training/train_transformer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAutoencoder = "autoencoder";
constexpr const char* kTransformer = "transformer";
constexpr const char* kAutoencoderPrefix = "vae.";

// Mean peak signal to noise ratio in decibels of images that training never drew.
double reconstruction_decibels(const TokenizerTraining& training, const TensorMap& weights) {
  const at::NoGradGuard no_grad;
  const at::Tensor images = shapes_test_images(training.seed, 256).to(training.device);
  const at::Tensor features = infinity::vae_encode(training.vae, weights, images);
  const at::Tensor summed =
      infinity::quantise(features, training.image, false, {}, nullptr, {}).summed;
  const at::Tensor decoded = infinity::vae_decode(training.vae, weights, summed).clamp(-1, 1);
  const at::Tensor error = ((decoded - images) / 2).square().mean({1, 2, 3});
  return error.log10().mul(-10).mean().item<double>();
}

TokenizerTraining tokenizer_settings(const ModelTraining& run,
                                     const infinity::ModelDescription& model) {
  const StageSettings& stage = run.settings.tokenizer;
  TokenizerTraining training;
  training.schedule = run.schedule(kAutoencoder, stage);
  training.device = run.device;
  training.seed = run.settings.seed;
  training.vae = model.vae;
  training.image = model.image;
  training.learning_rate = stage.learning_rate;
  return training;
}

TransformerTraining transformer_settings(const ModelTraining& run,
                                         const infinity::ModelDescription& model) {
  const TrainSettings& settings = run.settings;
  TransformerTraining training;
  training.schedule = run.schedule(kTransformer, settings.transformer);
  training.device = run.device;
  training.seed = run.settings.seed;
  training.transformer = model.transformer;
  training.vae = model.vae;
  training.image = model.image;
  training.text = model.text;
  training.learning_rate = settings.transformer.learning_rate;
  training.condition_dropout = settings.condition_dropout;
  training.flip_probability = settings.flip_probability;
  training.short_scales = settings.short_scales;
  training.skill_shares = settings.skill_shares;
  training.full_share_first = settings.full_share_first;
  training.full_share_last = settings.full_share_last;
  const auto scales = static_cast<int64_t>(model.image.schedule.size());
  if (training.short_scales > scales) {
    throw Error(ErrorKind::kConfig,
                fmt::format("train.transformer.short_scales={} is not in 1..{}, the model's scales",
                            training.short_scales, scales));
  }
  return training;
}

TensorMap autoencoder(const ModelTraining& run, const infinity::ModelDescription& model) {
  const TokenizerTraining training = tokenizer_settings(run, model);
  TensorMap weights = train_tokenizer(training, run.report(kAutoencoder, run.settings.tokenizer));
  run.draw_curve(kAutoencoder);
  write_safetensors(run.folder / "autoencoder.safetensors", weights.entries(), {});
  spdlog::info("autoencoder: {:.2f} dB peak signal to noise on 256 unseen images",
               reconstruction_decibels(training, weights.to(training.device)));
  return weights;
}

}  // namespace

bool train_infinity_model(const ModelTraining& run) {
  const infinity::ModelDescription model = infinity::describe_model(run.model);
  const FinishedModel start = finished_model(run);
  const fs::path vocabulary = run.folder / "captions.model";
  if (!fs::exists(vocabulary)) {
    if (start.tensors.empty()) {
      train_sentencepiece(all_shapes_captions(), model.text.vocabulary, vocabulary);
    } else {
      fs::copy_file(start.folder / vocabulary.filename(), vocabulary);
    }
  }
  const TensorMap vae =
      start.tensors.empty() ? autoencoder(run, model) : start.part(kAutoencoderPrefix);
  if (run.stop) return false;

  TransformerTraining training = transformer_settings(run, model);
  training.vocabulary_path = vocabulary.string();
  for (const auto& [name, tensor] : start.tensors) {
    if (!name.starts_with(kAutoencoderPrefix)) training.start.set(name, tensor);
  }
  TensorMap all =
      train_transformer(training, vae, run.report(kTransformer, run.settings.transformer));
  run.draw_curve(kTransformer);
  for (const auto& [name, tensor] : vae) all.set(kAutoencoderPrefix + name, tensor);
  export_model(run, all);
  return !run.stop;
}

}  // namespace kvscope
