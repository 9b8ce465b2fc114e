#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace kvscope {

/// The CPU's bodies of what linear.h declares, as linear.cpp registers them, for a few rows outside
/// of a backward pass. `activation`: an Activation.
at::Tensor linear_cpu(const at::Tensor& x,
                      const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias,
                      int64_t activation,
                      const std::optional<at::Tensor>& residual);
std::vector<at::Tensor> linear_each_cpu(const at::Tensor& x, at::TensorList weights);
at::Tensor gated_linear_cpu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up);

}  // namespace kvscope
