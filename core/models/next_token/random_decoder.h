#pragma once

#include <ATen/core/Generator.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope::next_token {

/// Fresh decoder weights in `type`: norms 1, biases 0, matrices normal of standard deviation
/// 0.8 / sqrt(inputs), smaller where they write into the residual stream of `layers` layers
/// (o_proj, down_proj, wo, w2) and in the last matrix, so that a random model of any size stays
/// finite and undecided.
TensorMap random_decoder(const std::vector<WeightSpec>& specs,
                         int64_t layers,
                         at::ScalarType type,
                         at::Generator generator);

}  // namespace kvscope::next_token
