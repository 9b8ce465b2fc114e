#include "kernels/quantise/dequantise_cpu.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "kernels/quantise/packed_lines.h"
#include "kernels/quantise/quantise.h"

namespace kvscope {

using namespace packing;  // NOLINT(google-build-using-namespace): this folder's own

namespace {

template <typename Type>
void dequantise_lanes(const Numbers& x,
                      const Numbers& scale_in,
                      const Numbers& minimum_in,
                      const Words& words,
                      int64_t source,
                      int64_t target,
                      int64_t first_lane,
                      int64_t lanes,
                      int64_t elements,
                      int64_t bits,
                      int64_t group) {
  const auto mask = static_cast<uint32_t>((1 << bits) - 1);
  float value[kChunk];
  float scale[kChunk];
  float low[kChunk];
  uint32_t word[kChunk];
  for (int64_t element = 0; element < elements; ++element) {
    if (element % group == 0) {
      scale_in.read_lanes(source, first_lane, element / group, lanes, scale);
      minimum_in.read_lanes(source, first_lane, element / group, lanes, low);
    }
    const auto shift = static_cast<int>(element * bits % 32);
    if (shift == 0) {
      for (int64_t i = 0; i < lanes; ++i) {
        word[i] = words.at(source, first_lane + i, element * bits / 32);
      }
    }
    for (int64_t i = 0; i < lanes; ++i) {
      const auto code = static_cast<float>(static_cast<int32_t>((word[i] >> shift) & mask));
      value[i] = rounded<Type>(rounded<Type>(code * scale[i]) + low[i]);
    }
    x.write_lanes(target, first_lane, element, lanes, value);
  }
}

template <typename Type>
void dequantise_line(const Numbers& x,
                     const Numbers& scale_in,
                     const Numbers& minimum_in,
                     const Words& words,
                     int64_t source,
                     int64_t target,
                     int64_t lane,
                     int64_t elements,
                     int64_t bits,
                     int64_t group) {
  const auto mask = static_cast<uint32_t>((1 << bits) - 1);
  float value[kChunk];
  for (int64_t first = 0; first < elements; first += group) {
    const int64_t last = std::min(first + group, elements);
    float scale = 0;
    float low = 0;
    scale_in.read_line(source, lane, first / group, 1, &scale);
    minimum_in.read_line(source, lane, first / group, 1, &low);
    for (int64_t begin = first; begin < last; begin += kChunk) {
      const int64_t count = std::min(kChunk, last - begin);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t bit = (begin + i) * bits;
        const uint32_t code = (words.at(source, lane, bit / 32) >> (bit % 32)) & mask;
        value[i] = static_cast<float>(static_cast<int32_t>(code));
      }
      for (int64_t i = 0; i < count; ++i) {
        value[i] = rounded<Type>(rounded<Type>(value[i] * scale) + low);
      }
      x.write_line(target, lane, begin, count, value);
    }
  }
}

template <typename Type>
void dequantise_item(const at::Tensor& x_tensor,
                     const Numbers& x,
                     const Numbers& scale,
                     const Numbers& minimum,
                     const Words& words,
                     int64_t source,
                     int64_t target,
                     int64_t bits,
                     int64_t group) {
  const int64_t lanes = x_tensor.size(1);
  const int64_t elements = x_tensor.size(2);
  if (lanes > 1 && x_tensor.stride(1) == 1) {
    for (int64_t lane = 0; lane < lanes; lane += kChunk) {
      dequantise_lanes<Type>(x, scale, minimum, words, source, target, lane,
                             std::min(kChunk, lanes - lane), elements, bits, group);
    }
    return;
  }
  for (int64_t lane = 0; lane < lanes; ++lane) {
    dequantise_line<Type>(x, scale, minimum, words, source, target, lane, elements, bits, group);
  }
}

}  // namespace

void dequantise_cpu(const at::Tensor& codes,
                    const at::Tensor& scale_tensor,
                    const at::Tensor& minimum_tensor,
                    c10::IntArrayRef source,
                    const at::Tensor& x_tensor,
                    c10::IntArrayRef target,
                    int64_t bits,
                    int64_t group) {
  const Numbers x(x_tensor);
  const Numbers scale(scale_tensor);
  const Numbers minimum(minimum_tensor);
  const Words words(codes);
  with_type(scale_tensor.scalar_type(), [&](auto zero) {
    at::parallel_for(0, static_cast<int64_t>(source.size()), items_per_thread(x_tensor),
                     [&](int64_t first, int64_t last) {
                       for (int64_t i = first; i < last; ++i) {
                         dequantise_item<decltype(zero)>(x_tensor, x, scale, minimum, words,
                                                         source[i], target[i], bits, group);
                       }
                     });
  });
}

}  // namespace kvscope
