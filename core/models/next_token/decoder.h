#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/models/next_token/rotation.h"

namespace kvscope::next_token {

/// Shape of a Llama-type decoder: as many key/value heads as query heads, no biases.
struct DecoderConfig {
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t width = 0;
  int64_t feed_forward_width = 0;
  double norm_epsilon = 1e-6;

  [[nodiscard]] int64_t head_dim() const { return width / heads; }
  /// Throws Error(kConfig) where a number is not positive, heads do not divide width, or head_dim
  /// is no multiple of `head_dim_multiple`.
  void check(int64_t head_dim_multiple) const;
};

/// Weights of one layer; handles into a checkpoint's tensors, so gradients reach its leaves.
struct LayerWeights {
  at::Tensor attention_norm;             ///< [D]
  at::Tensor query, key, value, output;  ///< [D, D]
  at::Tensor feed_forward_norm;          ///< [D]
  at::Tensor gate, up;                   ///< [F, D]
  at::Tensor down;                       ///< [D, F]
};

struct DecoderWeights {
  std::vector<LayerWeights> layers;
  at::Tensor norm;  ///< [D]
};

/// Self-attention as a model asks for it: layer, q, k, v [rows, heads, tokens, head_dim] (rotated),
/// the projections' input [rows, tokens, D] and the query projection [D, D]. The softmax scale is
/// 1 / sqrt(head_dim). Returns [rows, heads, tokens, head_dim]. Inference attends through the
/// cache, training over the whole sequence: the model does not know which.
using SelfAttention = std::function<at::Tensor(int64_t layer,
                                               const at::Tensor& q,
                                               const at::Tensor& k,
                                               const at::Tensor& v,
                                               const at::Tensor& hidden,
                                               const at::Tensor& query_weight)>;

/// x / rms(x) in fp32, rounded to the type of x, then times the weight: the order of the
/// references.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

/// All layers, before the final norm: x [rows, tokens, D] -> [rows, tokens, D].
///   x += W_o attend(R W_q h, R W_k h, W_v h), h = norm(x);  x += W_down(silu(W_gate g) * W_up g),
///   g = norm(x)
at::Tensor decode(const DecoderConfig& config,
                  const DecoderWeights& weights,
                  const at::Tensor& x,
                  const Rotation& rotation,
                  const SelfAttention& attend);

}  // namespace kvscope::next_token
