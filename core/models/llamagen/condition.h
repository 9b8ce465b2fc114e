#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/models/llamagen/config.h"
#include "core/models/llamagen/weights.h"
#include "core/models/next_token/generate.h"

namespace kvscope::llamagen {

/// The prefill of classes: their embeddings, above the null class's where `guided`.
next_token::Condition class_condition(const LlamaGenConfig& config,
                                      const LlamaGenWeights& weights,
                                      std::span<const int64_t> classes,
                                      bool guided);

/// The prefill of captions: `features` [B, tokens, caption channels], of which the first lengths[b]
/// rows are text. They move to the end of caption_tokens rows; the padding before them is zeros
/// that no other token sees. Unconditional rows, where `guided`, are the learned features, padding
/// included, seen as far as their image's caption. Throws Error(kInput) for a length outside
/// 1..caption_tokens.
///   embedding = W_2 gelu_tanh(W_1 features)
next_token::Condition caption_condition(const LlamaGenConfig& config,
                                        const LlamaGenWeights& weights,
                                        const at::Tensor& features,
                                        std::span<const int64_t> lengths,
                                        bool guided);

}  // namespace kvscope::llamagen
