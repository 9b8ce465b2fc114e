#include "core/models/janus/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/models/janus/prompt.h"
#include "core/models/janus/weights.h"
#include "core/models/model_files.h"
#include "core/models/next_token/guidance.h"
#include "core/models/next_token/image_batch.h"
#include "core/models/next_token/random_decoder.h"
#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope::janus {
namespace {

class JanusModel : public ImageModel {
 public:
  JanusModel(JanusDescription description, const std::string& root, at::Device device)
      : description_(std::move(description)),
        geometry_(
            next_token::cache_geometry(description_.model, description_.config.prompt_tokens)) {
    if (description_.model.weights == "random") {
      make_random(device);
    } else {
      load(root, device);
    }
    if (!description_.model.tokenizer.empty()) {
      tokenizer_.emplace(
          BytePairTokenizer::from_file(model_file(root, description_.model.tokenizer)));
    } else if (description_.model.weights != "random") {
      throw Error(ErrorKind::kConfig,
                  "model.tokenizer is not set; expected the tokenizer.json published with the "
                  "weights, or its folder");
    }
    model_ = make_model(description_.config, weights_);
  }

  [[nodiscard]] const CacheGeometry& geometry() const override { return geometry_; }

  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override {
    return next_token::guided(options.cfg) ? 2 * images : images;
  }

  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override {
    const at::NoGradGuard no_grad;
    const auto start = std::chrono::steady_clock::now();
    const PromptIds ids =
        tokenizer_ ? tokenized(*tokenizer_, prompts) : made_up(description_.config, prompts);
    const next_token::Condition condition =
        prompt_condition(description_.config, weights_, ids, next_token::guided(options.cfg));
    const double text_ms = milliseconds_since(start);
    const next_token::Generation generation = next_token::generate(
        model_, condition, next_token::generate_options(options), generators, context);
    return next_token::image_batch(
        generation, text_ms, PixelRounding::kTruncate, [&](const at::Tensor& tokens) {
          return vq_decode(
              description_.model.vq, picture_,
              tokens.view({-1, description_.model.grid_height, description_.model.grid_width}), "");
        });
  }

 private:
  void make_random(at::Device device) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    const TensorMap tensors = next_token::random_decoder(janus_tensors(description_.config),
                                                         description_.config.decoder.layers,
                                                         description_.model.weight_type, generator);
    weights_ = resolve_janus(description_.config, tensors.to(device));
    picture_ = random_vq(vq_decoder_tensors(description_.model.vq), generator).to(device);
  }

  void load(const std::string& root, at::Device device) {
    const ModelFiles files(root, description_.model.name);
    // Checked before converting, so that a wrong file costs no memory.
    const TensorMap main =
        published_names(files.main(description_.model.weights, description_tensors(description_)));
    const JanusWeights stored = resolve_janus(description_.config, main);
    TensorMap needed;
    for (const WeightSpec& spec : janus_tensors(description_.config)) {
      if (!stored.text_embedding.is_same(main.at(spec.name))) {
        needed.set(spec.name, main.at(spec.name));
      }
    }
    TensorMap tensors = converted(needed, device, description_.model.weight_type);
    // A few of its rows are ever read: it stays as stored.
    tensors.set("language_model.model.embed_tokens.weight", stored.text_embedding.to(device));
    weights_ = resolve_janus(description_.config, tensors);
    const VqConfig& vq = description_.model.vq;
    const std::string part = "gen_vision_model.";
    picture_ = resolve_vq(vq_decoder_tensors(vq),
                          files.part(main, description_.model.vae_weights, part,
                                     vq_checkpoint_tensors(vq, part)),
                          "")
                   .to(device);
  }

  JanusDescription description_;
  CacheGeometry geometry_;
  JanusWeights weights_;
  next_token::NextTokenModel model_;
  TensorMap picture_;
  std::optional<BytePairTokenizer> tokenizer_;  // none: random model, made-up ids
};

}  // namespace

std::unique_ptr<ImageModel> open_janus(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device) {
  return std::make_unique<JanusModel>(describe_janus(model), root, device);
}

}  // namespace kvscope::janus
