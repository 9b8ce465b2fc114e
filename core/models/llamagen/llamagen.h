#pragma once

#include <cstdint>

#include "core/models/next_token/family.h"

namespace kvscope::llamagen {

/// [classes + 1, D], the last row the null class.
inline constexpr const char* kClassEmbedding = "cls_embedding.embedding_table.weight";
/// [caption tokens, caption channels]: learned features of "no caption".
inline constexpr const char* kNoCaption = "cls_embedding.uncond_embedding";

/// 2/3 of 4 widths, rounded up to a multiple of 256.
int64_t feed_forward_width(int64_t width);

/// LlamaGen (arXiv 2406.06525): classes or captions of a T5 encoder in front of the codes of a VQ
/// image tokenizer, positions on the image's grid. Logits are fp32 whatever the weights are.
const next_token::NextTokenFamily& family();

}  // namespace kvscope::llamagen
