#include "core/models/llamagen/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/models/llamagen/condition.h"
#include "core/models/llamagen/weights.h"
#include "core/models/next_token/checkpoint_parts.h"
#include "core/models/next_token/guidance.h"
#include "core/models/next_token/image_batch.h"
#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_tensors.h"
#include "core/text/caption_batch.h"
#include "core/text/clean_caption.h"

namespace kvscope::llamagen {
namespace {

constexpr int64_t kMadeUpCaptionTokens = 16;

class LlamaGenModel : public ImageModel {
 public:
  LlamaGenModel(LlamaGenDescription description, const std::string& root, at::Device device)
      : description_(std::move(description)),
        geometry_(
            next_token::cache_geometry(description_.model, description_.config.condition_tokens())),
        device_(device) {
    if (is_random()) {
      make_random();
    } else {
      load(root);
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
    const bool guided = next_token::guided(options.cfg);
    const next_token::Condition condition =
        takes_text() ? of_captions(prompts, guided) : of_classes(prompts, guided);
    const double text_ms = milliseconds_since(start);
    next_token::GenerateOptions settings = next_token::generate_options(options);
    settings.cfg_interval = description_.cfg_interval;
    const next_token::Generation generation =
        next_token::generate(model_, condition, settings, generators, context);
    return next_token::image_batch(
        generation, text_ms, PixelRounding::kNearest, [&](const at::Tensor& tokens) {
          return vq_decode(
              description_.model.vq, picture_,
              tokens.view({-1, description_.config.grid_height, description_.config.grid_width}),
              "");
        });
  }

 private:
  [[nodiscard]] bool is_random() const { return description_.model.weights == "random"; }
  [[nodiscard]] bool takes_text() const {
    return description_.config.conditioning == Conditioning::kText;
  }

  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    const TensorMap tensors = next_token::random_decoder(llamagen_tensors(description_.config),
                                                         description_.config.decoder.layers,
                                                         description_.model.weight_type, generator);
    weights_ = resolve_llamagen(description_.config, tensors.to(device_));
    picture_ = random_vq(vq_decoder_tensors(description_.model.vq), generator).to(device_);
  }

  void load(const std::string& root) {
    const next_token::ModelDescription& files = description_.model;
    const TensorMap main = next_token::load_tensors(root, files.weights);
    const TensorMap transformer = next_token::part_tensors(main, "", root, "model.");
    // Checked before converting, so that a wrong file costs no memory.
    resolve_llamagen(description_.config, transformer);
    TensorMap needed;
    for (const WeightSpec& spec : llamagen_tensors(description_.config)) {
      needed.set(spec.name, transformer.at(spec.name));
    }
    weights_ = resolve_llamagen(description_.config,
                                next_token::converted(needed, files.weight_type, device_));
    picture_ = resolve_vq(vq_decoder_tensors(files.vq),
                          next_token::part_tensors(main, files.vae_weights, root, "vq."), "")
                   .to(device_);
    if (takes_text()) load_text(main, root);
  }

  void load_text(const TensorMap& main, const std::string& root) {
    const next_token::ModelDescription& files = description_.model;
    text_ = next_token::converted(next_token::part_tensors(main, files.text_weights, root, "t5."),
                                  at::kFloat, device_);
    if (files.tokenizer.empty()) {
      throw Error(ErrorKind::kConfig,
                  "model.tokenizer is not set; expected the SentencePiece .model file of the text "
                  "encoder");
    }
    tokenizer_.emplace(SentencePiece::from_file(next_token::model_file(root, files.tokenizer)));
    if (tokenizer_->vocabulary() > description_.text.vocabulary) {
      throw Error(
          ErrorKind::kConfig,
          fmt::format("tokenizer {} has {} pieces, the text encoder only {}", files.tokenizer,
                      tokenizer_->vocabulary(), description_.text.vocabulary));
    }
  }

  [[nodiscard]] next_token::Condition of_classes(std::span<const std::string> prompts,
                                                 bool guided) const {
    std::vector<int64_t> classes;
    for (const std::string& prompt : prompts) {
      classes.push_back(class_of(prompt, description_.config.classes));
    }
    return class_condition(description_.config, weights_, classes, guided);
  }

  [[nodiscard]] next_token::Condition of_captions(std::span<const std::string> prompts,
                                                  bool guided) const {
    if (!tokenizer_) return of_made_up_features(prompts, guided);
    const CaptionBatch captions =
        caption_batch(*tokenizer_, cleaned(prompts), description_.config.caption_tokens);
    const at::Tensor features =
        t5_encode(description_.text, text_, captions.ids.to(device_), captions.mask.to(device_));
    return caption_condition(description_.config, weights_, features, captions.lengths, guided);
  }

  [[nodiscard]] std::vector<std::string> cleaned(std::span<const std::string> prompts) const {
    std::vector<std::string> texts(prompts.begin(), prompts.end());
    if (description_.clean_captions) {
      for (std::string& text : texts) text = clean_caption(text);
    }
    return texts;
  }

  /// A random model's features are drawn from the prompt's characters.
  [[nodiscard]] next_token::Condition of_made_up_features(std::span<const std::string> prompts,
                                                          bool guided) const {
    const int64_t tokens = std::min(kMadeUpCaptionTokens, description_.config.caption_tokens);
    std::vector<at::Tensor> features;
    for (const std::string& prompt : prompts) {
      features.push_back(
          at::randn({tokens, description_.config.caption_channels},
                    at::make_generator<at::CPUGeneratorImpl>(next_token::text_seed(prompt))));
    }
    const std::vector<int64_t> lengths(prompts.size(), tokens);
    return caption_condition(description_.config, weights_, at::stack(features).to(device_),
                             lengths, guided);
  }

  LlamaGenDescription description_;
  CacheGeometry geometry_;
  at::Device device_;
  LlamaGenWeights weights_;
  next_token::NextTokenModel model_;
  TensorMap picture_;
  TensorMap text_;
  std::optional<SentencePiece> tokenizer_;  // none: classes, or a random model
};

}  // namespace

std::unique_ptr<ImageModel> open_llamagen(const ConfigNode& model,
                                          const std::string& root,
                                          at::Device device) {
  return std::make_unique<LlamaGenModel>(describe_llamagen(model), root, device);
}

}  // namespace kvscope::llamagen
