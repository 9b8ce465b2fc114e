#include <spdlog/spdlog.h>

#include <filesystem>

#include "core/checkpoint/safetensors.h"
#include "core/models/janus/janus.h"
#include "core/text/tokenizers/byte_pair_train.h"
#include "experiments/training/model_training.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/train_next_token.h"
#include "experiments/training/train_vq.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizer = "tokenizer";
constexpr const char* kTransformer = "transformer";
constexpr int64_t kTestImages = 256;

TensorMap image_tokenizer(const ModelTraining& run, const VqConfig& vq) {
  const StageSettings& stage = run.settings.tokenizer;
  const VqTraining training{.schedule = run.schedule(kTokenizer, stage),
                            .device = run.device,
                            .vq = vq,
                            .learning_rate = stage.learning_rate,
                            .seed = run.settings.seed};
  TensorMap weights = train_vq(training, run.report(kTokenizer, stage));
  run.draw_curve(kTokenizer);
  write_safetensors(run.folder / "tokenizer.safetensors", weights.entries(), {});
  const VqQuality quality =
      vq_quality(vq, weights.to(run.device),
                 shapes_test_images(run.settings.seed, kTestImages).to(run.device));
  spdlog::info(
      "tokenizer: {:.2f} dB peak signal to noise on {} unseen images, {:.0f} % of the codes in "
      "use",
      quality.decibels, kTestImages, 100 * quality.used_fraction);
  return weights;
}

NextTokenTraining transformer_settings(const ModelTraining& run,
                                       const next_token::ModelDescription& model) {
  const TrainSettings& settings = run.settings;
  return {.schedule = run.schedule(kTransformer, settings.transformer),
          .device = run.device,
          .family = janus::family(),
          .model = model,
          .start = {},
          .vocabulary_path = {},
          .learning_rate = settings.transformer.learning_rate,
          .condition_dropout = settings.condition_dropout,
          .skill_shares = settings.skill_shares,
          .seed = settings.seed};
}

}  // namespace

bool train_janus_model(const ModelTraining& run) {
  const next_token::ModelDescription model = next_token::describe(janus::family(), run.model);
  const std::string& vq_prefix = janus::family().names.vq;
  const FinishedModel start = finished_model(run);
  const fs::path vocabulary = run.folder / "tokenizer.json";
  if (!fs::exists(vocabulary)) {
    if (start.tensors.empty()) {
      train_byte_pairs(all_shapes_captions(), model.condition.text_vocabulary, vocabulary);
    } else {
      fs::copy_file(start.folder / vocabulary.filename(), vocabulary);
    }
  }
  const TensorMap vq =
      start.tensors.empty() ? image_tokenizer(run, model.vq) : start.part(vq_prefix);
  if (run.stop) return false;

  NextTokenTraining training = transformer_settings(run, model);
  training.vocabulary_path = vocabulary.string();
  for (const auto& [name, tensor] : start.tensors) {
    if (!name.starts_with(vq_prefix)) training.start.set(name, tensor);
  }
  TensorMap all =
      train_next_token(training, vq, run.report(kTransformer, run.settings.transformer));
  run.draw_curve(kTransformer);
  for (const auto& [name, tensor] : vq) all.set(vq_prefix + name, tensor);
  export_model(run, all);
  return !run.stop;
}

}  // namespace kvscope
