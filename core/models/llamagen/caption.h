#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/models/caption_encoder.h"
#include "core/models/next_token/conditions.h"

namespace kvscope::llamagen {

/// Captions as they are encoded: cleaned as the published demo does, where `clean`.
std::vector<std::string> cleaned(std::span<const std::string> captions, bool clean);

/// The prefill of captions, over the transformer's tensors. The rows of features that are text move
/// to the end of as many rows as "no caption" has; the padding before them is zeros that no other
/// token sees. Unconditional rows are the learned features, padding included, seen as far as their
/// image's caption. Throws Error(kInput) for a length outside 1..rows.
///   embedding = W_2 gelu_tanh(W_1 features)
next_token::Condition caption_condition(const TensorMap& tensors,
                                        const CaptionFeatures& captions,
                                        std::span<const next_token::ConditionRow> rows);

}  // namespace kvscope::llamagen
