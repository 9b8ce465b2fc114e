#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/var/config.h"

namespace kvscope::var {

/// Every tensor of the transformer, in the order of the published state dict, by bare names; in a
/// file of all parts they are below "model.".
std::vector<WeightSpec> transformer_tensors(const TransformerConfig& config,
                                            const ScaleSchedule& schedule);

struct BlockWeights {
  at::Tensor ada_gss;                 ///< [1, 1, 6, C], shared adaLN
  at::Tensor ada_weight, ada_bias;    ///< [6C, C], [6C], own adaLN; undefined when shared
  at::Tensor scale_mul;               ///< [1, H, 1, 1] log of the cosine attention's scale
  at::Tensor qkv_weight;              ///< [3C, C], rows q | k | v
  at::Tensor q_bias, v_bias;          ///< [C]; k has none
  at::Tensor proj_weight, proj_bias;  ///< [C, C], [C]
  at::Tensor fc1_weight, fc1_bias, fc2_weight, fc2_bias;  ///< [4C, C], [4C], [C, 4C], [C]
};

struct TransformerWeights {
  at::Tensor pos_start;                           ///< [1, tokens of the first scale, C]
  at::Tensor positions;                           ///< [1, all tokens, C]
  at::Tensor word_weight, word_bias;              ///< [C, code width], [C]
  at::Tensor classes;                             ///< [classes + 1, C], the last row is no label
  at::Tensor level_embedding;                     ///< [scales, C]
  at::Tensor shared_ada_weight, shared_ada_bias;  ///< [6C, C], [6C]; undefined when not shared
  at::Tensor head_ada_weight, head_ada_bias;      ///< [2C, C], [2C]
  at::Tensor head_weight, head_bias;              ///< [codes, C], [codes]
  std::vector<BlockWeights> blocks;
};

/// Looks every tensor up under `prefix` + published name. Throws Error(kInput) listing all missing
/// names and every wrong shape with both shapes.
TransformerWeights resolve_transformer(const TransformerConfig& config,
                                       const ScaleSchedule& schedule,
                                       const TensorMap& tensors,
                                       const std::string& prefix = "");

/// Fresh weights that keep activations finite at any size: matrices normal of standard deviation
/// about sqrt(1 / (3 C)), what writes to the residual stream and adaLN smaller.
TensorMap random_transformer(const TransformerConfig& config,
                             const ScaleSchedule& schedule,
                             at::Generator generator);

}  // namespace kvscope::var
