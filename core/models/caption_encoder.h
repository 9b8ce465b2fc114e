#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/model_memory.h"
#include "core/models/prompt_fit.h"
#include "core/text/captions/t5_encoder.h"
#include "core/text/tokenizers/sentencepiece.h"

namespace kvscope {

/// Features of captions, padded on the right.
struct CaptionFeatures {
  at::Tensor features;           ///< [B, T, channels] fp32
  std::vector<int64_t> lengths;  ///< [B], rows that are text
};

/// The text side of a model with a T5 encoder.
class CaptionEncoder {
 public:
  /// For a model with random weights: features made of a prompt's letters, the same prompt the
  /// same features everywhere.
  CaptionEncoder(int64_t channels, int64_t most_tokens, at::Device device);
  /// `weights` under T5's names, of any floating type; `tokenizer` a SentencePiece .model. Throws
  /// Error(kConfig) where `tokenizer` is empty or has more pieces than `config`, Error(kInput)
  /// where it cannot be read.
  CaptionEncoder(const T5Config& config,
                 const TensorMap& weights,
                 const std::string& tokenizer,
                 int64_t most_tokens,
                 at::Device device,
                 TextOverflow overflow = TextOverflow::kRefuse);

  /// Throws Error(kConfig) for a caption of more than `most_tokens`, unless these are to be cut.
  [[nodiscard]] CaptionFeatures encode(std::span<const std::string> captions) const;

 private:
  T5Config config_;
  TensorMap weights_;
  std::optional<SentencePiece> tokenizer_;  // none: features are made up
  int64_t most_tokens_;
  at::Device device_;
  TextOverflow overflow_ = TextOverflow::kRefuse;
};

/// What a model asks of its T5 checkpoint: the encoder's tensors, part "t5.". Published files carry
/// a decoder and copies of the embedding as well.
std::vector<WeightSpec> caption_encoder_tensors(const T5Config& config);

/// What encoding captions adds to a model's memory: the encoder's weights, and the tensors of
/// encoding `captions` of `most_tokens` each. With `random` weights there is no encoder, and
/// captions of few tokens are made up.
void add_caption_encoder(ModelMemory& memory,
                         const T5Config& config,
                         bool random,
                         int64_t captions,
                         int64_t most_tokens);
/// Tokens of the longest caption that such an encoder hands out.
int64_t longest_caption(bool random, int64_t most_tokens);

/// FNV-1a of a text: what stands for it in a random model, everywhere the same.
uint64_t text_seed(std::string_view text);

}  // namespace kvscope
