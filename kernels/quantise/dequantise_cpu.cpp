#include "kernels/quantise/dequantise_cpu.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "kernels/quantise/packed_lines.h"
#include "kernels/quantise/quantise.h"

namespace kvscope {

using namespace packing;  // NOLINT(google-build-using-namespace): this folder's own

namespace {

template <typename Type>
void dequantise_lanes(
    const LinesAtWork& of, int64_t source, int64_t target, int64_t first_lane, int64_t lanes) {
  const int64_t bits = of.bits;
  const auto mask = static_cast<uint32_t>((1 << bits) - 1);
  float value[kChunk];
  float scale[kChunk];
  float low[kChunk];
  uint32_t word[kChunk];
  for (int64_t element = 0; element < of.elements; ++element) {
    if (element % of.group == 0) {
      of.scale.read_lanes(source, first_lane, element / of.group, lanes, scale);
      of.minimum.read_lanes(source, first_lane, element / of.group, lanes, low);
    }
    const auto shift = static_cast<int>(element * bits % 32);
    if (shift == 0) {
      for (int64_t i = 0; i < lanes; ++i) {
        word[i] = of.words.at(source, first_lane + i, element * bits / 32);
      }
    }
    for (int64_t i = 0; i < lanes; ++i) {
      const auto code = static_cast<float>(static_cast<int32_t>((word[i] >> shift) & mask));
      value[i] = rounded<Type>(rounded<Type>(code * scale[i]) + low[i]);
    }
    of.x.write_lanes(target, first_lane, element, lanes, value);
  }
}

template <typename Type>
void dequantise_line(const LinesAtWork& of, int64_t source, int64_t target, int64_t lane) {
  const int64_t bits = of.bits;
  const auto mask = static_cast<uint32_t>((1 << bits) - 1);
  float value[kChunk];
  for (int64_t first = 0; first < of.elements; first += of.group) {
    const int64_t last = std::min(first + of.group, of.elements);
    float scale = 0;
    float low = 0;
    of.scale.read_line(source, lane, first / of.group, 1, &scale);
    of.minimum.read_line(source, lane, first / of.group, 1, &low);
    for (int64_t begin = first; begin < last; begin += kChunk) {
      const int64_t count = std::min(kChunk, last - begin);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t bit = (begin + i) * bits;
        const uint32_t code = (of.words.at(source, lane, bit / 32) >> (bit % 32)) & mask;
        value[i] = static_cast<float>(static_cast<int32_t>(code));
      }
      for (int64_t i = 0; i < count; ++i) {
        value[i] = rounded<Type>(rounded<Type>(value[i] * scale) + low);
      }
      of.x.write_line(target, lane, begin, count, value);
    }
  }
}

template <typename Type>
void dequantise_item(const LinesAtWork& of, int64_t source, int64_t target) {
  if (of.side_by_side) {
    for (int64_t lane = 0; lane < of.lanes; lane += kChunk) {
      dequantise_lanes<Type>(of, source, target, lane, std::min(kChunk, of.lanes - lane));
    }
    return;
  }
  for (int64_t lane = 0; lane < of.lanes; ++lane) dequantise_line<Type>(of, source, target, lane);
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
  const LinesAtWork lines(x_tensor, codes, scale_tensor, minimum_tensor, bits, group);
  for_each_item(
      lines, scale_tensor.scalar_type(), static_cast<int64_t>(source.size()),
      [&](auto zero, int64_t i) { dequantise_item<decltype(zero)>(lines, source[i], target[i]); });
}

}  // namespace kvscope
