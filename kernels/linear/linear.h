#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <span>
#include <vector>

namespace kvscope {

/// Linear layers of the few rows that a generated token has. The library's product of two rows with
/// a large matrix runs at a third of the speed at which memory gives that matrix; and it wants the
/// weights in the type of the rows. Here weights stay as they are stored, fp32 or bf16, are read
/// once in their order and widened in registers; sums are fp32.
///
/// On a CPU, up to kFewRows rows of fp32 or bf16 outside of a backward pass go through it. What it
/// gives does not depend on the number of rows, of threads, or on which instructions (AVX2,
/// AVX-512) the machine has. Everything else goes to the library's GEMM in the type of the rows;
/// but fp32 rows meet bf16 weights in bf16 where the device multiplies that itself.

/// Rows up to which the kernel is the faster one.
inline constexpr int64_t kFewRows = 32;

enum class Activation : uint8_t {
  kNone,
  kSilu,
  kGelu,      ///< x (1 + erf(x / sqrt 2)) / 2
  kGeluTanh,  ///< its approximation with tanh
};

/// activation(x W^T + bias) + residual: x [..., in], weight [out, in], bias [out], residual
/// [..., out] -> [..., out] in the type of x. Throws c10::Error where shapes do not fit.
at::Tensor linear_layer(const at::Tensor& x,
                        const at::Tensor& weight,
                        const std::optional<at::Tensor>& bias = std::nullopt,
                        Activation activation = Activation::kNone,
                        const std::optional<at::Tensor>& residual = std::nullopt);

/// x W^T of several weights, in one pass of the threads.
std::vector<at::Tensor> linear_layers(const at::Tensor& x, std::span<const at::Tensor> weights);

/// silu(x gate^T) * (x up^T), the first half of a gated feed-forward; gate, up [out, in].
at::Tensor gated_layer(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up);

}  // namespace kvscope
