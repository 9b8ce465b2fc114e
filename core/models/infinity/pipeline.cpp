#include "core/models/infinity/pipeline.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/checkpoint/weight_check.h"
#include "core/models/infinity/generate.h"
#include "core/models/infinity/vae.h"
#include "core/models/packed_tokens.h"
#include "core/text/caption_batch.h"

namespace kvscope::infinity {
namespace {

constexpr int64_t kRandomTextTokens = 16;  // length of made-up text features of a random model

std::string below(const std::string& root, const std::string& path) {
  return std::filesystem::path(path).is_absolute() ? path
                                                   : (std::filesystem::path(root) / path).string();
}

// Where `part` lives: in its own file, or below "part." in the main one; bare names are the
// transformer's.
struct Source {
  TensorMap tensors;
  std::string prefix;
};

Source source(const TensorMap& main,
              const std::string& own_path,
              const std::string& root,
              const std::string& prefix) {
  if (!own_path.empty()) {
    TensorMap own = read_checkpoint(below(root, own_path));
    const bool prefixed = !own.below(prefix).empty();
    return {std::move(own), prefixed ? prefix : ""};
  }
  return {main, main.below(prefix).empty() ? "" : prefix};
}

// Block parameters as the reference runs them: rounded to bf16, computed wider where bf16 is slow.
void round_blocks_to_bf16(TensorMap& tensors, const std::string& prefix) {
  for (const std::string& name : tensors.names()) {
    if (name.starts_with(prefix + "block")) {
      tensors.set(name, tensors.at(name).to(at::kBFloat16).to(at::kFloat));
    }
  }
}

class InfinityModel : public ImageModel {
 public:
  InfinityModel(ModelDescription description, const std::string& root, at::Device device)
      : description_(std::move(description)),
        geometry_(description_geometry(description_)),
        device_(device) {
    if (description_.weights == "random") {
      make_random();
    } else {
      load(root);
    }
  }

  [[nodiscard]] const CacheGeometry& geometry() const override { return geometry_; }

  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override {
    return cache_rows(images, options.cfg);
  }

  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override {
    const at::NoGradGuard no_grad;
    GeneratedBatch batch;
    auto start = std::chrono::steady_clock::now();
    const TextFeatures text = encode(prompts);
    batch.text_ms = milliseconds_since(start);
    const GenerateOptions settings{.cfg = options.cfg,
                                   .tau = options.tau,
                                   .top_k = options.top_k,
                                   .top_p = options.top_p,
                                   .forced_bits = {}};
    const Generation generation =
        infinity::generate(description_.transformer, weights_, description_.picture, text, settings,
                           generators, context);
    start = std::chrono::steady_clock::now();
    batch.pictures = to_pictures(vae_decode(description_.vae, vae_, generation.summed_codes));
    batch.decode_ms = milliseconds_since(start);
    batch.step_ms = generation.step_ms;
    batch.attention_ms = generation.attention_ms;
    batch.policy_ms = generation.policy_ms;
    for (size_t image = 0; image < prompts.size(); ++image) {
      batch.tokens.push_back(pack_token_bits(generation.token_bits, static_cast<int64_t>(image)));
    }
    return batch;
  }

 private:
  void make_random() {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(0);
    tensors_ =
        converted(random_transformer(description_.transformer, generator), device_, at::kFloat);
    weights_ = resolve_transformer(description_.transformer, tensors_);
    vae_ = converted(random_vae(vae_decoder_tensors(description_.vae), generator), device_,
                     at::kFloat);
  }

  void load(const std::string& root) {
    const TensorMap main = read_checkpoint(below(root, description_.weights));
    const Source transformer = source(main, "", root, "model.");
    require_weights(description_tensors(description_), main, description_.weights,
                    description_.name);
    // Checked before widening, so that a wrong file costs no memory.
    resolve_transformer(description_.transformer, transformer.tensors, transformer.prefix);
    tensors_ = converted(transformer.prefix.empty() ? main : main.below(transformer.prefix),
                         device_, at::kFloat);
    if (description_.precision == "reference") round_blocks_to_bf16(tensors_, "");
    weights_ = resolve_transformer(description_.transformer, tensors_);
    const Source vae = source(main, description_.vae_weights, root, "vae.");
    vae_ = converted(resolve_vae(vae_decoder_tensors(description_.vae), vae.tensors, vae.prefix),
                     device_, at::kFloat);
    const Source text = source(main, description_.text_weights, root, "t5.");
    text_ = converted(text.prefix.empty() ? text.tensors : text.tensors.below(text.prefix), device_,
                      at::kFloat);
    if (description_.tokenizer.empty()) {
      throw Error(
          ErrorKind::kConfig,
          "model.tokenizer is not set; expected the SentencePiece .model file of the text encoder");
    }
    tokenizer_.emplace(SentencePiece::from_file(below(root, description_.tokenizer)));
    if (tokenizer_->vocabulary() > description_.text.vocabulary) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("tokenizer {} has {} pieces, the text encoder only {}",
                              description_.tokenizer, tokenizer_->vocabulary(),
                              description_.text.vocabulary));
    }
  }

  // Real features, or, for a random model, features drawn from the prompt's characters.
  [[nodiscard]] TextFeatures encode(std::span<const std::string> prompts) const {
    if (tokenizer_) {
      const CaptionBatch captions =
          caption_batch(*tokenizer_, prompts, description_.transformer.text_max_tokens);
      return {
          t5_encode(description_.text, text_, captions.ids.to(device_), captions.mask.to(device_)),
          captions.lengths};
    }
    TextFeatures text;
    std::vector<at::Tensor> rows;
    const int64_t tokens = std::min(kRandomTextTokens, description_.transformer.text_max_tokens);
    for (const std::string& prompt : prompts) {
      uint64_t seed =
          0xcbf29ce484222325ULL;  // FNV-1a: the same prompt, the same features, everywhere
      for (const char c : prompt) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
      rows.push_back(at::randn({tokens, description_.transformer.text_channels},
                               at::make_generator<at::CPUGeneratorImpl>(seed)));
      text.lengths.push_back(tokens);
    }
    text.features = at::stack(rows).to(device_);
    return text;
  }

  ModelDescription description_;
  CacheGeometry geometry_;
  at::Device device_;
  TensorMap tensors_;
  TransformerWeights weights_;
  TensorMap vae_;
  TensorMap text_;
  std::optional<SentencePiece> tokenizer_;  // none: random model, random text features
};

}  // namespace

std::unique_ptr<ImageModel> open_infinity(const ConfigNode& model,
                                          const std::string& root,
                                          at::Device device) {
  return std::make_unique<InfinityModel>(describe_model(model), root, device);
}

}  // namespace kvscope::infinity
