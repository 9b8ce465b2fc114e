#include "kernels/linear/linear_cpu.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/linear/few_rows.h"
#include "kernels/linear/linear.h"

namespace kvscope {
namespace {

constexpr int64_t kOperationsPerThread = 60'000;

/// The rows of x in fp32, adjacent.
at::Tensor rows_of_x(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)}).to(at::kFloat).contiguous();
}

RowProducts products_of(const at::Tensor& x, const at::Tensor& weight, at::Tensor& y) {
  return {.x = x.const_data_ptr<float>(),
          .rows = x.size(0),
          .in = x.size(1),
          .weight = weight.const_data_ptr(),
          .type = weight.scalar_type(),
          .y = y.mutable_data_ptr<float>(),
          .y_stride = y.size(1)};
}

/// Calls `part(first, last)` for ranges of outputs that end at whole tiles, in several threads.
template <typename Part>
void for_outputs(int64_t outputs, int64_t operations_per_output, const Part& part) {
  const int64_t tiles = (outputs + kOutputTile - 1) / kOutputTile;
  const int64_t grain = std::max<int64_t>(
      1, kOperationsPerThread / std::max<int64_t>(1, operations_per_output * kOutputTile));
  at::parallel_for(0, tiles, grain, [&](int64_t begin, int64_t end) {
    part(begin * kOutputTile, std::min(end * kOutputTile, outputs));
  });
}

float activated(float x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kSilu:
      return x / (1.0F + std::exp(-x));
    case Activation::kGelu:
      return 0.5F * x * (1.0F + std::erf(x * (1.0F / std::numbers::sqrt2_v<float>)));
    case Activation::kGeluTanh: {
      const float inner = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float> *
                          (x + 0.044715F * x * x * x);
      return 0.5F * x * (1.0F + std::tanh(inner));
    }
  }
  return x;
}

/// Back in the shape and type of the layer's output.
at::Tensor as_output(const at::Tensor& y, const at::Tensor& x) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = y.size(1);
  return y.view(shape).to(x.scalar_type());
}

}  // namespace

at::Tensor linear_cpu(const at::Tensor& x_in,
                      const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias_in,
                      int64_t activation,
                      const std::optional<at::Tensor>& residual_in) {
  const at::Tensor x = rows_of_x(x_in);
  at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  const at::Tensor bias = bias_in ? bias_in->to(at::kFloat).contiguous() : at::Tensor();
  const at::Tensor residual = residual_in ? rows_of_x(*residual_in) : at::Tensor();
  const float* bias_data = bias_in ? bias.const_data_ptr<float>() : nullptr;
  const float* residual_data = residual_in ? residual.const_data_ptr<float>() : nullptr;
  const auto form = static_cast<Activation>(activation);
  const RowProducts products = products_of(x, weight, y);
  const RowProductsBody multiply = row_products();
  const int64_t outputs = y.size(1);
  const bool is_plain = !bias_in && !residual_in && form == Activation::kNone;
  for_outputs(outputs, products.rows * products.in, [&](int64_t first, int64_t last) {
    multiply(products, first, last);
    if (is_plain) return;
    for (int64_t row = 0; row < products.rows; ++row) {
      float* out = products.y + row * outputs;
      for (int64_t o = first; o < last; ++o) {
        const float with_bias = bias_data == nullptr ? out[o] : out[o] + bias_data[o];
        const float active = activated(with_bias, form);
        out[o] = residual_data == nullptr ? active : residual_data[row * outputs + o] + active;
      }
    }
  });
  return as_output(y, x_in);
}

std::vector<at::Tensor> linear_each_cpu(const at::Tensor& x_in, at::TensorList weights) {
  const at::Tensor x = rows_of_x(x_in);
  std::vector<at::Tensor> ys;
  std::vector<RowProducts> products;
  std::vector<int64_t> ends{0};  // of each weight's outputs, rounded to tiles
  for (const at::Tensor& weight : weights) {
    ys.push_back(at::empty({x.size(0), weight.size(0)}, x.options()));
    products.push_back(products_of(x, weight, ys.back()));
    const int64_t tiles = (weight.size(0) + kOutputTile - 1) / kOutputTile;
    ends.push_back(ends.back() + tiles * kOutputTile);
  }
  const RowProductsBody multiply = row_products();
  for_outputs(ends.back(), x.size(0) * x.size(1), [&](int64_t first, int64_t last) {
    for (size_t i = 0; i < products.size(); ++i) {
      const int64_t begin = std::max(first, ends[i]) - ends[i];
      const int64_t end = std::min(std::min(last, ends[i + 1]) - ends[i], products[i].y_stride);
      if (begin < end) multiply(products[i], begin, end);
    }
  });
  for (at::Tensor& y : ys) y = as_output(y, x_in);
  return ys;
}

at::Tensor gated_linear_cpu(const at::Tensor& x_in, const at::Tensor& gate, const at::Tensor& up) {
  const at::Tensor x = rows_of_x(x_in);
  at::Tensor y = at::empty({x.size(0), gate.size(0)}, x.options());
  at::Tensor lifted = at::empty_like(y);
  const RowProducts gates = products_of(x, gate, y);
  const RowProducts ups = products_of(x, up, lifted);
  const RowProductsBody multiply = row_products();
  for_outputs(gate.size(0), 2 * x.size(0) * x.size(1), [&](int64_t first, int64_t last) {
    multiply(gates, first, last);
    multiply(ups, first, last);
    for (int64_t row = 0; row < gates.rows; ++row) {
      float* out = gates.y + row * gates.y_stride;
      const float* factor = ups.y + row * ups.y_stride;
      for (int64_t o = first; o < last; ++o) {
        out[o] = activated(out[o], Activation::kSilu) * factor[o];
      }
    }
  });
  return as_output(y, x_in);
}

}  // namespace kvscope
