#include "experiments/commands/train.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "analysis/shapes/caption.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "core/models/infinity/codes.h"
#include "core/models/infinity/pipeline.h"
#include "core/models/infinity/vae.h"
#include "core/text/sentencepiece.h"
#include "core/text/sentencepiece_train.h"
#include "experiments/training/loss_curve.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/train_tokenizer.h"
#include "experiments/training/train_transformer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

// Prints progress with the time left, keeps the curve, asks whether to go on.
class Progress {
 public:
  Progress(std::string stage,
           const fs::path& curve,
           int64_t steps,
           int64_t batch,
           const std::atomic<bool>& stop)
      : stage_(std::move(stage)), curve_(curve), steps_(steps), batch_(batch), stop_(stop) {}

  bool operator()(const TrainingProgress& progress) {
    const double seconds = static_cast<double>((steps_ - progress.step) * batch_) /
                           std::max(1e-9, progress.pictures_per_second);
    spdlog::info("{} {}/{}  loss {:.5f}  {:.1f} pictures/s  {:.0f} min left", stage_, progress.step,
                 steps_, progress.loss, progress.pictures_per_second, seconds / 60);
    curve_.append(progress);
    return !stop_;
  }
  void draw() const { curve_.draw(stage_); }

 private:
  std::string stage_;
  LossCurve curve_;
  int64_t steps_;
  int64_t batch_;
  const std::atomic<bool>& stop_;
};

std::vector<std::string> caption_corpus() {
  std::vector<std::string> captions;
  for (const shapes::Skill skill : shapes::kSkills) {
    for (const std::string& caption : shapes::all_captions(skill)) captions.push_back(caption);
  }
  return captions;
}

// Mean PSNR in decibels of pictures that training never drew.
double reconstruction_psnr(const TokenizerTraining& training, const TensorMap& weights) {
  const at::NoGradGuard no_grad;
  const at::Tensor pictures = shapes_test_pictures(training.seed, 256);
  const at::Tensor features = infinity::vae_encode(training.vae, weights, pictures);
  const at::Tensor summed =
      infinity::quantise(features, training.picture, false, {}, nullptr, {}).summed;
  const at::Tensor decoded = infinity::vae_decode(training.vae, weights, summed).clamp(-1, 1);
  const at::Tensor error = ((decoded - pictures) / 2).square().mean({1, 2, 3});
  return error.log10().mul(-10).mean().item<double>();
}

TokenizerTraining tokenizer_settings(const ConfigNode& train,
                                     const infinity::ModelDescription& model) {
  const ConfigNode& node = train.at("autoencoder");
  TokenizerTraining training;
  training.vae = model.vae;
  training.picture = model.picture;
  training.steps = node.at("steps").as_int64();
  training.batch = node.at("batch").as_int64();
  training.learning_rate = node.at("learning_rate").as_double();
  training.save_every_steps = train.at("save_every_steps").as_int64();
  training.seed = static_cast<uint64_t>(train.at("seed").as_int64());
  return training;
}

TransformerTraining transformer_settings(const ConfigNode& train,
                                         const infinity::ModelDescription& model) {
  const ConfigNode& node = train.at("transformer");
  TransformerTraining training;
  training.transformer = model.transformer;
  training.vae = model.vae;
  training.picture = model.picture;
  training.text = model.text;
  training.steps = node.at("steps").as_int64();
  training.batch = node.at("batch").as_int64();
  training.learning_rate = node.at("learning_rate").as_double();
  training.condition_dropout = node.at("condition_dropout").as_double();
  training.flip_probability = node.at("flip_probability").as_double();
  training.short_scales = node.at("short_scales").as_int64();
  training.full_share_first = node.at("full_share_first").as_double();
  training.full_share_last = node.at("full_share_last").as_double();
  training.save_every_steps = train.at("save_every_steps").as_int64();
  training.seed = static_cast<uint64_t>(train.at("seed").as_int64());
  const auto scales = static_cast<int64_t>(model.picture.schedule.size());
  if (training.short_scales < 1 || training.short_scales > scales) {
    throw Error(ErrorKind::kConfig,
                fmt::format("train.transformer.short_scales={} is not in 1..{}, the model's scales",
                            training.short_scales, scales));
  }
  return training;
}

void export_model(const fs::path& path, const TensorMap& vae, const TensorMap& transformer) {
  TensorMap all;
  for (const auto& [name, tensor] : transformer) all.set(name, tensor.to(at::kBFloat16));
  for (const auto& [name, tensor] : vae) all.set("vae." + name, tensor.to(at::kBFloat16));
  write_safetensors(path, all.entries(), {{"kind", "kvscope_model"}});
}

// A finished model to go on from, or nothing.
struct Start {
  TensorMap vae;
  TensorMap transformer;
  fs::path vocabulary;
};

Start start_from(const ConfigNode& train, const std::string& root) {
  const ConfigNode& from = train.at("start_from");
  if (from.is_null()) return {};
  const fs::path folder = fs::path(root) / from.as_string();
  Start start{{}, {}, folder / "captions.model"};
  for (const auto& [name, tensor] : read_safetensors(folder / "model.safetensors")) {
    const at::Tensor wide = tensor.to(at::kFloat);
    if (name.starts_with("vae.")) {
      start.vae.set(name.substr(4), wide);
    } else {
      start.transformer.set(name, wide);
    }
  }
  return start;
}

TensorMap autoencoder(const ConfigNode& train,
                      const infinity::ModelDescription& model,
                      const fs::path& folder,
                      const std::atomic<bool>& stop) {
  TokenizerTraining training = tokenizer_settings(train, model);
  training.state_path = (folder / "autoencoder_state.safetensors").string();
  Progress progress("autoencoder", folder / "autoencoder_loss.h5", training.steps, training.batch,
                    stop);
  TensorMap weights = train_tokenizer(training, std::ref(progress));
  progress.draw();
  write_safetensors(folder / "autoencoder.safetensors", weights.entries(), {});
  spdlog::info("autoencoder: {:.2f} dB PSNR on 256 unseen pictures",
               reconstruction_psnr(training, weights));
  return weights;
}

}  // namespace

int train_command(const ConfigNode& config,
                  const std::string& root,
                  const std::atomic<bool>& stop) {
  const ConfigNode& train = config.at("train");
  const infinity::ModelDescription model = infinity::describe_model(config.at("model"));
  const fs::path folder = fs::path(root) / train.at("folder").as_string();
  fs::create_directories(folder);

  const Start start = start_from(train, root);
  const fs::path vocabulary = folder / "captions.model";
  if (!fs::exists(vocabulary)) {
    if (start.vocabulary.empty()) {
      train_sentencepiece(caption_corpus(), model.text.vocabulary, vocabulary);
    } else {
      fs::copy_file(start.vocabulary, vocabulary);
    }
  }

  const TensorMap vae = start.vae.empty() ? autoencoder(train, model, folder, stop) : start.vae;
  if (stop) return 130;

  TransformerTraining transformer = transformer_settings(train, model);
  transformer.vocabulary_path = vocabulary.string();
  transformer.start = start.transformer;
  transformer.state_path = (folder / "transformer_state.safetensors").string();
  Progress transformer_progress("transformer", folder / "transformer_loss.h5", transformer.steps,
                                transformer.batch, stop);
  const TensorMap weights = train_transformer(transformer, vae, std::ref(transformer_progress));
  transformer_progress.draw();
  export_model(folder / "model.safetensors", vae, weights);
  spdlog::info("wrote {}", (folder / "model.safetensors").string());
  return stop ? 130 : 0;
}

}  // namespace kvscope
