#include "core/models/caption_encoder.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/text/captions/caption_batch.h"
#include "core/text/captions/t5_tensors.h"

namespace kvscope {
namespace {

constexpr int64_t kMadeUpTokens = 16;

SentencePiece open_pieces(const T5Config& config, const std::string& path) {
  if (path.empty()) {
    throw Error(
        ErrorKind::kConfig,
        "model.tokenizer is not set; expected the SentencePiece .model file of the text encoder");
  }
  SentencePiece tokenizer = SentencePiece::from_file(path);
  if (tokenizer.vocabulary() > config.vocabulary) {
    throw Error(ErrorKind::kConfig,
                fmt::format("tokenizer {} has {} pieces, the text encoder only {}", path,
                            tokenizer.vocabulary(), config.vocabulary));
  }
  return tokenizer;
}

}  // namespace

CaptionEncoder::CaptionEncoder(int64_t channels, int64_t most_tokens, at::Device device)
    : most_tokens_(longest_caption(/*random=*/true, most_tokens)), device_(device) {
  config_.d_model = channels;
}

CaptionEncoder::CaptionEncoder(const T5Config& config,
                               const TensorMap& weights,
                               const std::string& tokenizer,
                               int64_t most_tokens,
                               at::Device device,
                               TextOverflow overflow)
    : config_(config),
      weights_(converted(weights, device, at::kFloat)),
      tokenizer_(open_pieces(config, tokenizer)),
      most_tokens_(most_tokens),
      device_(device),
      overflow_(overflow) {}

CaptionFeatures CaptionEncoder::encode(std::span<const std::string> captions) const {
  if (tokenizer_) {
    for (const std::string& caption : captions) {
      const PromptFit fit =
          fit_tokens(std::ssize(tokenizer_->encode(caption)), most_tokens_, overflow_);
      if (fit.problem.empty()) continue;
      throw Error(ErrorKind::kConfig, fmt::format("the prompt '{:.60}' {}", caption, fit.problem));
    }
    const CaptionBatch batch = caption_batch(*tokenizer_, captions, most_tokens_);
    return {t5_encode(config_, weights_, batch.ids.to(device_), batch.mask.to(device_)),
            batch.lengths};
  }
  std::vector<at::Tensor> rows;
  for (const std::string& caption : captions) {
    rows.push_back(at::randn({most_tokens_, config_.d_model},
                             at::make_generator<at::CPUGeneratorImpl>(text_seed(caption))));
  }
  return {at::stack(rows).to(device_), std::vector<int64_t>(captions.size(), most_tokens_)};
}

std::vector<WeightSpec> caption_encoder_tensors(const T5Config& config) {
  std::vector<WeightSpec> specs;
  for (const auto& [name, shape] : t5_tensors(config)) {
    specs.push_back({.name = name, .shape = shape, .part = "t5."});
  }
  for (const char* name : {"encoder.embed_tokens.weight", "decoder.", "lm_head."}) {
    specs.push_back(unneeded_tensors(name, "t5."));
  }
  return specs;
}

int64_t longest_caption(bool random, int64_t most_tokens) {
  return random ? std::min(kMadeUpTokens, most_tokens) : most_tokens;
}

void add_caption_encoder(ModelMemory& memory,
                         const T5Config& config,
                         bool random,
                         int64_t captions,
                         int64_t most_tokens) {
  constexpr auto kBytes = static_cast<int64_t>(sizeof(float));
  const int64_t tokens = captions * longest_caption(random, most_tokens);
  if (random) {
    memory.activations.push_back({"text", 2 * tokens * config.d_model * kBytes});
    return;
  }
  memory.weights.push_back(
      weight_part("text encoder", caption_encoder_tensors(config), at::kFloat));
  // The bias of every head, the scores, the two added, their softmax; q, k and v are small beside
  // them where captions are long, and beside the feed-forward's four where they are short.
  const int64_t scores = 4 * config.heads * tokens * most_tokens + 5 * tokens * config.d_model;
  const int64_t feed_forward =
      config.heads * tokens * most_tokens + tokens * (4 * config.d_ff + 3 * config.d_model);
  memory.activations.push_back({"text", std::max(scores, feed_forward) * kBytes});
}

uint64_t text_seed(std::string_view text) {
  uint64_t seed = 0xcbf29ce484222325ULL;
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed;
}

}  // namespace kvscope
