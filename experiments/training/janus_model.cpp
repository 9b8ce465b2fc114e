#include <spdlog/spdlog.h>

#include <filesystem>

#include "core/checkpoint/safetensors.h"
#include "core/models/janus/pipeline.h"
#include "core/text/byte_pair_train.h"
#include "experiments/training/model_training.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/train_next_token.h"
#include "experiments/training/train_vq.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizer = "tokenizer";
constexpr const char* kTransformer = "transformer";
constexpr const char* kTokenizerPrefix = "gen_vision_model.";
constexpr int64_t kTestPictures = 256;

TensorMap picture_tokenizer(const ModelTraining& run, const VqConfig& vq) {
  const ConfigNode& node = run.train.at(kTokenizer);
  const VqTraining training{.schedule = run.schedule(kTokenizer),
                            .device = run.device,
                            .vq = vq,
                            .learning_rate = node.at("learning_rate").as_double(),
                            .seed = run.seed()};
  TensorMap weights = train_vq(training, run.report(kTokenizer));
  run.draw_curve(kTokenizer);
  write_safetensors(run.folder / "tokenizer.safetensors", weights.entries(), {});
  const VqQuality quality = vq_quality(
      vq, weights.to(run.device), shapes_test_pictures(run.seed(), kTestPictures).to(run.device));
  spdlog::info(
      "tokenizer: {:.2f} dB peak signal to noise on {} unseen pictures, {:.0f} % of the codes in "
      "use",
      quality.decibels, kTestPictures, 100 * quality.used_fraction);
  return weights;
}

NextTokenTraining transformer_settings(const ModelTraining& run,
                                       const janus::JanusDescription& model) {
  const ConfigNode& node = run.train.at(kTransformer);
  return {.schedule = run.schedule(kTransformer),
          .device = run.device,
          .transformer = model.config,
          .vq = model.model.vq,
          .start = {},
          .vocabulary_path = {},
          .learning_rate = node.at("learning_rate").as_double(),
          .condition_dropout = node.at("condition_dropout").as_double(),
          .skill_shares = run.skill_shares(),
          .seed = run.seed()};
}

}  // namespace

bool train_janus_model(const ModelTraining& run) {
  const janus::JanusDescription model = janus::describe_janus(run.model);
  const FinishedModel start = finished_model(run);
  const fs::path vocabulary = run.folder / "tokenizer.json";
  if (!fs::exists(vocabulary)) {
    if (start.tensors.empty()) {
      train_byte_pairs(all_shapes_captions(), model.config.text_vocabulary, vocabulary);
    } else {
      fs::copy_file(start.folder / vocabulary.filename(), vocabulary);
    }
  }
  const TensorMap vq =
      start.tensors.empty() ? picture_tokenizer(run, model.model.vq) : start.part(kTokenizerPrefix);
  if (run.stop) return false;

  NextTokenTraining training = transformer_settings(run, model);
  training.vocabulary_path = vocabulary.string();
  for (const auto& [name, tensor] : start.tensors) {
    if (!name.starts_with(kTokenizerPrefix)) training.start.set(name, tensor);
  }
  TensorMap all = train_next_token(training, vq, run.report(kTransformer));
  run.draw_curve(kTransformer);
  for (const auto& [name, tensor] : vq) all.set(kTokenizerPrefix + name, tensor);
  export_model(run, all);
  return !run.stop;
}

}  // namespace kvscope
