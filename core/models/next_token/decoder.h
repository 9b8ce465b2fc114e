#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/engine/rotation.h"
#include "core/models/shared/cache_geometry.h"
#include "core/models/shared/self_attention.h"

namespace kvscope::next_token {

/// Layer norm of queries and keys over the channels of a head, before rotation (Chameleon,
/// arXiv:2405.09818). Files store one row of its weights for each head, or for so many consecutive
/// ones: any number of rows that divides the heads.
struct QueryKeyNorm {
  int64_t query_rows = 1;
  int64_t key_rows = 1;
  double epsilon = 1e-5;
};

/// Shape of a Llama-type decoder; no biases but those of the query/key norm.
struct DecoderConfig {
  int64_t layers = 0;
  int64_t heads = 0;     ///< of queries
  int64_t kv_heads = 0;  ///< of keys and values; 0: as many as of queries
  int64_t width = 0;
  int64_t feed_forward_width = 0;
  double norm_epsilon = 1e-6;
  std::optional<QueryKeyNorm> query_key_norm = std::nullopt;
  bool norms_behind = false;  ///< what a sublayer returns is normed, not what it takes

  [[nodiscard]] int64_t head_dim() const { return width / heads; }
  /// Heads of keys and values: query head i reads head i / (heads / key_heads()).
  [[nodiscard]] int64_t key_heads() const { return kv_heads == 0 ? heads : kv_heads; }
  [[nodiscard]] AttentionShape attention() const {
    return {.layers = layers, .heads = key_heads(), .query_heads = heads, .head_dim = head_dim()};
  }
  /// Channels of all key/value heads, D_kv.
  [[nodiscard]] int64_t key_width() const { return key_heads() * head_dim(); }
  /// Throws Error(kConfig) where a number is not positive, heads do not divide width, kv_heads do
  /// not divide heads, or head_dim is no multiple of `head_dim_multiple`.
  void check(int64_t head_dim_multiple) const;
};

/// Weights of one layer; handles into a checkpoint's tensors, so gradients reach its leaves.
struct LayerWeights {
  at::Tensor attention_norm;     ///< [D]
  at::Tensor query, output;      ///< [D, D]
  at::Tensor key, value;         ///< [D_kv, D]
  at::Tensor feed_forward_norm;  ///< [D]
  at::Tensor gate, up;           ///< [F, D]
  at::Tensor down;               ///< [D, F]
  /// [query_rows, head_dim] and [key_rows, head_dim]; undefined without a query/key norm.
  at::Tensor query_norm = {}, query_norm_bias = {}, key_norm = {}, key_norm_bias = {};
};

struct DecoderWeights {
  std::vector<LayerWeights> layers;
  at::Tensor norm;  ///< [D]
};

/// All layers, before the final norm: x [rows, tokens, D] -> [rows, tokens, D].
///   x += W_o attend(R W_q h, R W_k h, W_v h), h = norm(x);  x += W_down(silu(W_gate g) * W_up g),
///   g = norm(x)
/// with queries and keys normed before R where the config says so. Norms behind: h = x, g = x, and
/// what is added to x is normed.
at::Tensor decode(const DecoderConfig& config,
                  const DecoderWeights& weights,
                  const at::Tensor& x,
                  const Rotation& rotation,
                  const SelfAttention& attend);

}  // namespace kvscope::next_token
