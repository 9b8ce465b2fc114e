#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/infinity/config.h"

namespace kvscope::infinity {

using TensorSpec = WeightSpec;

/// Every tensor of the transformer, in the order of the published state dict.
std::vector<TensorSpec> transformer_tensors(const TransformerConfig& config);

/// Weights of one block; handles into a TensorMap, so gradients reach the map's leaves.
struct BlockWeights {
  at::Tensor ada_gss;                 ///< [1, 1, 6, C], shared adaLN
  at::Tensor ada_weight, ada_bias;    ///< [6C, C], [6C], own adaLN; undefined when shared
  at::Tensor scale_mul;               ///< [1, H, 1, 1] log of the cosine attention's scale
  at::Tensor qkv_weight;              ///< [3C, C], rows q | k | v
  at::Tensor q_bias, v_bias;          ///< [C]; k has none
  at::Tensor proj_weight, proj_bias;  ///< [C, C], [C]
  at::Tensor cross_v_bias;            ///< [C]
  at::Tensor cross_q_weight, cross_q_bias;
  at::Tensor cross_kv_weight;  ///< [2C, C], rows k | v
  at::Tensor cross_proj_weight, cross_proj_bias;
  at::Tensor cross_norm_weight, cross_norm_bias;  ///< [C]
  at::Tensor fc1_weight, fc1_bias, fc2_weight, fc2_bias;
  at::Tensor gate_weight;  ///< SwiGLU's fcg; undefined otherwise
};

struct TransformerWeights {
  at::Tensor cfg_uncond;  ///< [text_max_tokens, Ct]
  at::Tensor pos_start;   ///< [1, 1, C]
  at::Tensor text_norm;   ///< [Ct]
  at::Tensor pool_query;  ///< [1, pool heads, C / pool heads]
  at::Tensor pool_v_bias, pool_kv_weight, pool_proj_weight, pool_proj_bias;
  at::Tensor context1_weight, context1_bias, context2_weight, context2_bias;
  at::Tensor level_embedding;                     ///< [levels, C]
  at::Tensor word_weight, word_bias;              ///< [C, token bits], [C]
  at::Tensor shared_ada_weight, shared_ada_bias;  ///< [6C, C]; undefined when not shared
  at::Tensor head_ada_weight, head_ada_bias;      ///< [2C, C]
  at::Tensor head_weight, head_bias;              ///< [2 * token bits, C]
  std::vector<BlockWeights> blocks;
};

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
