#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"
#include "core/models/next_scale/weights.h"
#include "core/models/var/config.h"

namespace kvscope::var {

/// Every tensor of the transformer, in the order of the published state dict, by bare names; in a
/// file of all parts they are below "model.".
std::vector<WeightSpec> transformer_tensors(const TransformerConfig& config,
                                            const ScaleSchedule& schedule);

struct TransformerWeights : ScaleTransformerWeights {
  at::Tensor positions;  ///< [1, all tokens, C]
  at::Tensor classes;    ///< [classes + 1, C], the last row is no label
  std::vector<ScaleBlockWeights> blocks;
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
