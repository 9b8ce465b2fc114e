#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace kvscope {

/// One class per row of `probabilities` [rows, classes] fp32, on any device -> int64 [rows] there.
/// The randomness comes from `generator`, which is of the CPU, in the order of the rows: a seed
/// gives the same tokens on every device, but for probabilities that differ by rounding. What
/// at::multinomial samples on a CPU is sampled here. Cost off the CPU: the noise, 4 bytes per
/// probability, is made on the host and copied.
at::Tensor sample_classes(const at::Tensor& probabilities, at::Generator& generator);

}  // namespace kvscope
