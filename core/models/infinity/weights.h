#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/infinity/config.h"
#include "core/models/next_scale/weights.h"

namespace kvscope::infinity {

using TensorSpec = WeightSpec;

/// Every tensor of the transformer, in the order of the published state dict.
std::vector<TensorSpec> transformer_tensors(const TransformerConfig& config);

/// Weights of one block; handles into a TensorMap, so gradients reach the map's leaves.
struct BlockWeights : ScaleBlockWeights {
  at::Tensor cross_v_bias;  ///< [C]
  at::Tensor cross_q_weight, cross_q_bias;
  at::Tensor cross_kv_weight;  ///< [2C, C], rows k | v
  at::Tensor cross_proj_weight, cross_proj_bias;
  at::Tensor cross_norm_weight, cross_norm_bias;  ///< [C]
  at::Tensor gate_weight;                         ///< SwiGLU's fcg; undefined otherwise
};

struct TransformerWeights : ScaleTransformerWeights {
  at::Tensor cfg_uncond;  ///< [text_max_tokens, Ct]
  at::Tensor text_norm;   ///< [Ct]
  at::Tensor pool_query;  ///< [1, pool heads, C / pool heads]
  at::Tensor pool_v_bias, pool_kv_weight, pool_proj_weight, pool_proj_bias;
  at::Tensor context1_weight, context1_bias, context2_weight, context2_bias;
  std::vector<BlockWeights> blocks;
};

/// The tensors that the transformer reads, by published name, looked up under `prefix`. Throws as
/// resolve_transformer().
TensorMap published_transformer_tensors(const TransformerConfig& config,
                                        const TensorMap& tensors,
                                        const std::string& prefix = "");

/// Looks every tensor up under `prefix` + published name. Throws Error(kInput) listing all missing
/// names and every wrong shape with both shapes. scale_mul is accepted in either published layout;
/// cfg_uncond shorter than text_max_tokens is accepted (prompts must then be no longer).
TransformerWeights resolve_transformer(const TransformerConfig& config,
                                       const TensorMap& tensors,
                                       const std::string& prefix = "");

/// Fresh weights: normal of standard deviation sqrt(1 / (3 C)) for matrices as the reference
/// starts, adaLN and projections small, so that a random model of any size stays finite.
TensorMap random_transformer(const TransformerConfig& config, at::Generator generator);

}  // namespace kvscope::infinity
