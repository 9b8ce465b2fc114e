#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/text/tokenizers/sentencepiece.h"

namespace kvscope {

/// Captions as a text encoder takes them, padded on the right with id 0.
struct CaptionBatch {
  at::Tensor ids;                ///< [B, T] int64
  at::Tensor mask;               ///< [B, T] int64, 1 on text
  std::vector<int64_t> lengths;  ///< [B], `</s>` counted
};

/// Captions longer than `max_tokens` are cut, `</s>` kept.
CaptionBatch caption_batch(const SentencePiece& tokenizer,
                           std::span<const std::string> captions,
                           int64_t max_tokens);

}  // namespace kvscope
