#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope::verify {

/// FNV-1a, 64 bits.
uint64_t fnv1a(std::string_view text);
/// The 64 bits that element `index` of a tensor is made of, from fnv1a() of its name.
uint64_t formula_bits(uint64_t hash, uint64_t index);

/// The weights that a recorded run of image metrics stands on: too large for its file, a function
/// of name and place instead. Of 24 bits v in -1..1; a convolution v sqrt(6 / inputs), its bias
/// 0.05 v, a batch norm's weight and variance 1 + v / 4, its bias and mean v / 8, the heads of a
/// perceptual distance (1 + v) / 2. f32.
at::Tensor formula_tensor(const std::string& name, const std::vector<int64_t>& shape);

/// All of `specs` that are needed, each by the formula of its full name.
TensorMap formula_weights(const std::vector<WeightSpec>& specs,
                          const std::function<std::string(const std::string&)>& full_name);

}  // namespace kvscope::verify
