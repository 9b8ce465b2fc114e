#pragma once

#include "core/models/next_token/family.h"

namespace kvscope::janus {

inline constexpr const char* kTextEmbedding = "language_model.model.embed_tokens.weight";
inline constexpr const char* kCodeEmbedding = "gen_embed.weight";

/// Janus-Pro's text-to-image path (arXiv 2501.17811): a Llama decoder that reads text and writes
/// the codes of a VQ image tokenizer.
///   embed(id) = W_2 gelu(W_1 code[id] + b_1) + b_2;  head(h) = V_2 gelu(V_1 h + a_1) + a_2
const next_token::NextTokenFamily& family();

}  // namespace kvscope::janus
