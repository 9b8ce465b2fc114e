#include "kernels/token_rows/token_rows.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kvscope {
namespace {

constexpr int64_t kElementsPerThread = 16'384;

bool is_single(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat &&
         !(at::GradMode::is_enabled() && tensor.requires_grad());
}

int64_t grain_of(int64_t elements) {
  return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(1, elements));
}

/// Sixteen sums side by side, so that the compiler may keep them in vectors.
float mean_square(const float* x, int64_t count) {
  constexpr int64_t kLanes = 16;
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * x[i + lane];
  }
  for (int64_t lane = 0; i < count; ++i, ++lane) sums[lane] += x[i] * x[i];
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0] / static_cast<float>(count);
}

at::Tensor rms_norm_cpu(const at::Tensor& x_in, const at::Tensor& weight_in, double epsilon) {
  const at::Tensor x = x_in.contiguous();
  const at::Tensor weight = weight_in.contiguous();
  at::Tensor y = at::empty_like(x);
  const int64_t channels = x.size(-1);
  const auto* from = x.const_data_ptr<float>();
  const auto* factors = weight.const_data_ptr<float>();
  auto* to = y.mutable_data_ptr<float>();
  const int64_t rows = channels == 0 ? 0 : x.numel() / channels;
  at::parallel_for(0, rows, grain_of(channels), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const float* in = from + row * channels;
      float* out = to + row * channels;
      const float scale = 1.0F / std::sqrt(mean_square(in, channels) + static_cast<float>(epsilon));
      for (int64_t i = 0; i < channels; ++i) out[i] = in[i] * scale * factors[i];
    }
  });
  return y;
}

/// Elements from one row, head and token to the next; 0 where there is one for all.
struct Steps {
  int64_t row, head, token;

  explicit Steps(const at::Tensor& of)
      : row(of.stride(0)), head(of.stride(1)), token(of.stride(2)) {
    if (of.size(0) == 1) row = 0;
    if (of.size(1) == 1) head = 0;
    if (of.size(2) == 1) token = 0;
  }
  [[nodiscard]] int64_t at(int64_t r, int64_t h, int64_t t) const {
    return r * row + h * head + t * token;
  }
};

at::Tensor with_adjacent(const at::Tensor& tensor) {
  return tensor.stride(-1) == 1 ? tensor : tensor.contiguous();
}

at::Tensor rotate_cpu(const at::Tensor& x_in,
                      const at::Tensor& cosine_in,
                      const at::Tensor& sine_in,
                      bool neighbours) {
  const at::Tensor x = with_adjacent(x_in);
  const at::Tensor cosine = with_adjacent(cosine_in);
  const at::Tensor sine = with_adjacent(sine_in);
  const int64_t heads = x.size(1);
  const int64_t tokens = x.size(2);
  const int64_t head_dim = x.size(3);
  const int64_t half = head_dim / 2;
  at::Tensor y = at::empty(x.sizes(), x.options());
  const Steps of_x(x);
  const Steps of_cosine(cosine);
  const Steps of_sine(sine);
  const auto* x_data = x.const_data_ptr<float>();
  const auto* cosine_data = cosine.const_data_ptr<float>();
  const auto* sine_data = sine.const_data_ptr<float>();
  auto* y_data = y.mutable_data_ptr<float>();
  const int64_t lines = x.size(0) * heads * tokens;
  at::parallel_for(0, lines, grain_of(head_dim), [&](int64_t first, int64_t last) {
    for (int64_t line = first; line < last; ++line) {
      const int64_t token = line % tokens;
      const int64_t head = line / tokens % heads;
      const int64_t row = line / tokens / heads;
      const float* in = x_data + of_x.at(row, head, token);
      const float* c = cosine_data + of_cosine.at(row, head, token);
      const float* s = sine_data + of_sine.at(row, head, token);
      float* out = y_data + line * head_dim;
      const int64_t next = neighbours ? 2 : 1;        // from pair to pair
      const int64_t partner = neighbours ? 1 : half;  // within a pair
      for (int64_t j = 0; j < half; ++j) {
        const float a = in[next * j];
        const float b = in[next * j + partner];
        out[next * j] = a * c[j] - b * s[j];
        out[next * j + partner] = b * c[j] + a * s[j];
      }
    }
  });
  return y;
}

at::Tensor norm_by_library(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor normed = wide * at::rsqrt(wide.square().mean(-1, true) + epsilon);
  return normed.to(x.scalar_type()) * weight;
}

at::Tensor rotated_by_library(const at::Tensor& x,
                              const at::Tensor& cosine,
                              const at::Tensor& sine,
                              bool neighbours) {
  if (!neighbours) {
    const at::Tensor c = cosine.to(x.scalar_type());
    const at::Tensor s = sine.to(x.scalar_type());
    const std::vector<at::Tensor> half = x.chunk(2, -1);
    return at::cat({half[0] * c - half[1] * s, half[1] * c + half[0] * s}, -1);
  }
  const at::Tensor pairs = x.to(at::kFloat).unflatten(-1, {-1, 2});
  const at::Tensor even = pairs.select(-1, 0);
  const at::Tensor odd = pairs.select(-1, 1);
  return at::stack({even * cosine - odd * sine, odd * cosine + even * sine}, -1)
      .flatten(-2)
      .to(x.scalar_type());
}

/// Whether one pass over x in its own shape does: the rotation is no larger than x in any
/// dimension, as that of a moment is.
bool fits_inside(const at::Tensor& x, const at::Tensor& angle) {
  if (x.dim() != 4 || angle.dim() != 4 || x.size(3) % 2 != 0 || angle.size(3) != x.size(3) / 2) {
    return false;
  }
  for (int64_t i = 0; i < 3; ++i) {
    if (angle.size(i) != 1 && angle.size(i) != x.size(i)) return false;
  }
  return true;
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def("rms_norm_rows(Tensor x, Tensor weight, float epsilon) -> Tensor");
  library.def("rotate_rows(Tensor x, Tensor cosine, Tensor sine, bool neighbours) -> Tensor");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("rms_norm_rows", &rms_norm_cpu);
  library.impl("rotate_rows", &rotate_cpu);
}

}  // namespace

at::Tensor rms_norm_rows(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  TORCH_CHECK(x.dim() > 0 && weight.dim() == 1 && x.size(-1) == weight.size(0),
              "rms_norm_rows: rows of ", x.sizes(), " for a weight of ", weight.sizes(),
              "; expected as many channels as the weight has");
  if (!is_single(x) || !is_single(weight)) return norm_by_library(x, weight, epsilon);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::rms_norm_rows", "")
                             .typed<decltype(rms_norm_cpu)>();
  return op.call(x, weight, epsilon);
}

at::Tensor rotate_rows(const at::Tensor& x,
                       const at::Tensor& cosine,
                       const at::Tensor& sine,
                       bool neighbours) {
  if (!is_single(x) || !is_single(cosine) || !is_single(sine) || !fits_inside(x, cosine) ||
      !fits_inside(x, sine)) {
    return rotated_by_library(x, cosine, sine, neighbours);
  }
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::rotate_rows", "")
                             .typed<decltype(rotate_cpu)>();
  return op.call(x, cosine, sine, neighbours);
}

}  // namespace kvscope
