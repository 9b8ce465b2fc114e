#include "kernels/linear/linear.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/library.h>

#include <algorithm>

#include "kernels/linear/linear_cpu.h"

namespace kvscope {
namespace {

/// Whether a backward pass will want to know what became of it.
bool records(const at::Tensor& tensor) {
  return at::GradMode::is_enabled() && tensor.requires_grad();
}

bool is_narrow_or_single(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16;
}

/// Whether the kernel takes these.
bool are_few_rows(const at::Tensor& x, std::span<const at::Tensor> weights) {
  if (!x.device().is_cpu() || !is_narrow_or_single(x) || records(x) || x.numel() == 0 ||
      x.numel() > kFewRows * x.size(-1)) {
    return false;
  }
  return std::ranges::all_of(weights, [&](const at::Tensor& weight) {
    return is_narrow_or_single(weight) && weight.is_contiguous() && !records(weight);
  });
}

void check(const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(x.dim() > 0 && weight.dim() == 2 && x.size(-1) == weight.size(1), "linear: rows of ",
              x.sizes(), " for a weight of ", weight.sizes(),
              "; expected as many channels as the weight has columns");
}

/// Where the library's bf16 product is the faster one: elsewhere it emulates it.
bool multiplies_bf16(const at::Tensor& x) {
  static const bool cpu_does = __builtin_cpu_supports("avx512bf16") != 0;
  return !x.device().is_cpu() || cpu_does;
}

at::Tensor by_library(const at::Tensor& x,
                      const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias = std::nullopt) {
  if (x.scalar_type() == at::kFloat && weight.scalar_type() == at::kBFloat16 &&
      multiplies_bf16(x)) {
    const at::Tensor y = at::linear(x.to(at::kBFloat16), weight).to(at::kFloat);
    return bias ? y.add(*bias) : y;
  }
  return at::linear(x, weight.to(x.scalar_type()), bias ? bias->to(x.scalar_type()) : at::Tensor());
}

at::Tensor activated(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return at::silu(x);
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
  }
  return x;
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "linear(Tensor x, Tensor weight, Tensor? bias, int activation, Tensor? residual) -> Tensor");
  library.def("linear_each(Tensor x, Tensor[] weights) -> Tensor[]");
  library.def("gated_linear(Tensor x, Tensor gate, Tensor up) -> Tensor");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("linear", &linear_cpu);
  library.impl("linear_each", &linear_each_cpu);
  library.impl("gated_linear", &gated_linear_cpu);
}

template <typename Function>
auto operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Function>();
}

}  // namespace

at::Tensor linear_layer(const at::Tensor& x,
                        const at::Tensor& weight,
                        const std::optional<at::Tensor>& bias,
                        Activation activation,
                        const std::optional<at::Tensor>& residual) {
  check(x, weight);
  const bool is_trained = (bias && records(*bias)) || (residual && records(*residual));
  if (!are_few_rows(x, {&weight, 1}) || is_trained) {
    const at::Tensor y = activated(by_library(x, weight, bias), activation);
    return residual ? *residual + y : y;
  }
  static const auto op = operation<decltype(linear_cpu)>("kvscope::linear");
  return op.call(x, weight, bias, static_cast<int64_t>(activation), residual);
}

std::vector<at::Tensor> linear_layers(const at::Tensor& x, std::span<const at::Tensor> weights) {
  for (const at::Tensor& weight : weights) check(x, weight);
  if (!are_few_rows(x, weights)) {
    std::vector<at::Tensor> ys;
    ys.reserve(weights.size());
    for (const at::Tensor& weight : weights) ys.push_back(by_library(x, weight));
    return ys;
  }
  static const auto op = operation<decltype(linear_each_cpu)>("kvscope::linear_each");
  return op.call(x, at::TensorList(weights.data(), weights.size()));
}

at::Tensor gated_layer(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up) {
  check(x, gate);
  TORCH_CHECK(gate.sizes() == up.sizes(), "gated_linear: a gate of ", gate.sizes(), " beside ",
              up.sizes(), "; expected equal shapes");
  const at::Tensor weights[] = {gate, up};
  if (!are_few_rows(x, weights)) {
    return at::silu(by_library(x, gate)) * by_library(x, up);
  }
  static const auto op = operation<decltype(gated_linear_cpu)>("kvscope::gated_linear");
  return op.call(x, gate, up);
}

}  // namespace kvscope
