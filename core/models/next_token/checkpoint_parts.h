#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope::next_token {

/// A model's file: `path`, below `root` unless absolute.
std::string model_file(const std::string& root, const std::string& path);

/// All tensors of the checkpoint at `path`, below `root` unless absolute.
TensorMap load_tensors(const std::string& root, const std::string& path);

/// One part of a model ("model.", "vq.", "t5."): from its own file where it has one, else out of
/// `main`; named without the prefix, which files of one part do not have.
TensorMap part_tensors(const TensorMap& main,
                       const std::string& own_path,
                       const std::string& root,
                       std::string_view prefix);

/// Floating tensors in `type` on `device`, others as they are on `device`; shared where they are so
/// already.
TensorMap converted(const TensorMap& tensors, at::ScalarType type, at::Device device);

/// Fresh decoder weights in `type`: norms 1, biases 0, matrices normal of standard deviation
/// 0.8 / sqrt(inputs), smaller where they write into the residual stream of `layers` layers
/// (o_proj, down_proj, wo, w2) and in the last matrix, so that a random model of any size stays
/// finite and undecided.
TensorMap random_decoder(const std::vector<WeightSpec>& specs,
                         int64_t layers,
                         at::ScalarType type,
                         at::Generator generator);

/// FNV-1a of a text: what stands for it in a random model, everywhere the same.
uint64_t text_seed(std::string_view text);

}  // namespace kvscope::next_token
