#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// Sizes of a T5 v1.1 encoder. The defaults are T5 v1.1 XL's (and Flan-T5 XL's).
struct T5Config {
  int64_t d_model = 2048;
  int64_t layers = 24;
  int64_t heads = 32;
  int64_t d_kv = 64;  ///< channels a head; heads * d_kv may differ from d_model
  int64_t d_ff = 5120;
  int64_t vocabulary = 32128;
  int64_t buckets = 32;        ///< relative position buckets, half of them for each direction
  int64_t max_distance = 128;  ///< tokens; farther ones share the last bucket
  double eps = 1e-6;
};

/// Sizes of a published encoder: "flan_t5_small", "_base", "_large", "_xl" or "_xxl", or the
/// "t5_v1_1_" ones, which have the same. Throws Error(kConfig) with the nearest name for another.
T5Config published_t5(const std::string& name);

/// Relative position bucket of `key - query` (bidirectional): near distances exact, far ones
/// logarithmic up to max_distance.
int64_t t5_relative_bucket(int64_t key_minus_query, int64_t buckets, int64_t max_distance);

/// The encoder of T5 v1.1 (Raffel et al. 2020; gated tanh-GELU, RMS norms, no biases, no
/// 1/sqrt(d)). `ids` [B, T] int64; `mask` [B, T], nonzero where a token is real. Returns [B, T,
/// d_model]; rows where the mask is 0 mean nothing. Weights carry the published names below
/// `prefix` and may be leaves that want gradients. Throws Error(kInput) naming a weight that is
/// missing or has another shape, and for ids outside the vocabulary. With fp16 weights the residual
/// sums are fp32 (the published code keeps `wo` so), because they leave fp16's range.
at::Tensor t5_encode(const T5Config& config,
                     const TensorMap& weights,
                     const at::Tensor& ids,
                     const at::Tensor& mask,
                     std::string_view prefix = "");

}  // namespace kvscope
