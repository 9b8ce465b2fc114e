#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "core/checkpoint/tensor_map.h"
#include "experiments/training/adamw.h"

namespace kvscope {

/// Makes leaves of float copies of `weights` on `device`.
TensorMap trainable(const TensorMap& weights, at::Device device);

/// Weights, optimiser and the next step in one file, replaced atomically.
void save_training(const std::string& path,
                   const TensorMap& weights,
                   const AdamW& optimiser,
                   int64_t step);

/// Continues from `path` if it exists: weights are overwritten in place. Returns the step to go on
/// with.
int64_t load_training(const std::string& path, const TensorMap& weights, AdamW& optimiser);

}  // namespace kvscope
