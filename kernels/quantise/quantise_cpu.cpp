#include "kernels/quantise/quantise_cpu.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/quantise/packed_lines.h"
#include "kernels/quantise/quantise.h"

namespace kvscope {

using namespace packing;  // NOLINT(google-build-using-namespace): this folder's own

namespace {

/// Scale and minimum of `count` groups from their extremes; false where one scale is not finite.
/// `probe` is NaN where a group holds what is not finite.
template <typename Type>
bool scales(int64_t count, float levels, float* low, const float* high, float* probe) {
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    low[i] = rounded<Type>(low[i]);
    const float range = rounded<Type>(rounded<Type>(high[i]) - low[i]);
    const float scale = rounded<Type>(range / levels) + probe[i];
    finite = finite && std::isfinite(scale);
    probe[i] = scale;
  }
  return finite;
}

/// numbers -> whole codes
template <typename Type>
inline float code_of(float value, float low, float scale, float levels) {
  const float code = rounded<Type>(rounded<Type>(value - low) / scale);
  const float least = code > 0.0F ? code : 0.0F;  // of scale 0 too, where code is NaN or infinite
  const float clamped = least < levels ? least : levels;
  return scale > 0.0F ? (clamped + kRoundingShift) - kRoundingShift : 0.0F;
}
/// One group of `lanes` lines side by side: every loop over lanes is one of vectors.
template <typename Type>
bool quantise_lanes(const LinesAtWork& of,
                    int64_t source,
                    int64_t target,
                    int64_t first_lane,
                    int64_t lanes,
                    int64_t group) {
  const int64_t bits = of.bits;
  const int64_t first = group * of.group;
  const int64_t last = std::min(first + of.group, of.elements);
  const auto levels = static_cast<float>((1 << bits) - 1);
  float value[kChunk];
  float low[kChunk];
  float high[kChunk];
  float scale[kChunk];
  uint32_t word[kChunk];
  std::fill_n(low, lanes, std::numeric_limits<float>::infinity());
  std::fill_n(high, lanes, -std::numeric_limits<float>::infinity());
  std::fill_n(scale, lanes, 0.0F);
  for (int64_t element = first; element < last; ++element) {
    of.x.read_lanes(source, first_lane, element, lanes, value);
    for (int64_t i = 0; i < lanes; ++i) {
      low[i] = value[i] < low[i] ? value[i] : low[i];
      high[i] = value[i] > high[i] ? value[i] : high[i];
      scale[i] += value[i] * 0.0F;
    }
  }
  const bool finite = scales<Type>(lanes, levels, low, high, scale);
  of.scale.write_lanes(target, first_lane, group, lanes, scale);
  of.minimum.write_lanes(target, first_lane, group, lanes, low);

  std::fill_n(word, lanes, 0U);
  for (int64_t element = first; element < last; ++element) {
    of.x.read_lanes(source, first_lane, element, lanes, value);
    const auto shift = static_cast<int>(element * bits % 32);
    for (int64_t i = 0; i < lanes; ++i) {
      const auto code = static_cast<int32_t>(code_of<Type>(value[i], low[i], scale[i], levels));
      word[i] |= static_cast<uint32_t>(code) << shift;
    }
    if (shift + bits < 32 && element + 1 < last) continue;
    // Where a group ends inside a word, the next one adds to it.
    const int64_t at = element * bits / 32;
    const bool is_begun = at * 32 < first * bits;
    for (int64_t i = 0; i < lanes; ++i) {
      uint32_t& out = of.words.at(target, first_lane + i, at);
      out = is_begun ? out | word[i] : word[i];
      word[i] = 0;
    }
  }
  return finite;
}

/// One group of one line.
template <typename Type>
bool quantise_line(
    const LinesAtWork& of, int64_t source, int64_t target, int64_t lane, int64_t group) {
  const int64_t bits = of.bits;
  const int64_t first = group * of.group;
  const int64_t last = std::min(first + of.group, of.elements);
  constexpr int64_t kVector = 16;
  const auto levels = static_cast<float>((1 << bits) - 1);
  float value[kChunk];
  float lows[kVector];
  float highs[kVector];
  float probes[kVector] = {};
  std::fill_n(lows, kVector, std::numeric_limits<float>::infinity());
  std::fill_n(highs, kVector, -std::numeric_limits<float>::infinity());
  for (int64_t begin = first; begin < last; begin += kChunk) {
    const int64_t count = std::min(kChunk, last - begin);
    of.x.read_line(source, lane, begin, count, value);
    std::fill(value + count, value + kChunk, value[0]);  // one more of the same changes nothing
    for (int64_t i = 0; i < kChunk; i += kVector) {
      for (int64_t j = 0; j < kVector; ++j) {
        lows[j] = value[i + j] < lows[j] ? value[i + j] : lows[j];
        highs[j] = value[i + j] > highs[j] ? value[i + j] : highs[j];
        probes[j] += value[i + j] * 0.0F;
      }
    }
  }
  float low = *std::min_element(lows, lows + kVector);
  const float high = *std::max_element(highs, highs + kVector);
  float scale = 0;
  for (const float probe : probes) scale += probe;
  const bool finite = scales<Type>(1, levels, &low, &high, &scale);
  of.scale.write_line(target, lane, group, 1, &scale);
  of.minimum.write_line(target, lane, group, 1, &low);

  uint32_t code[kChunk];
  uint32_t word = 0;
  for (int64_t begin = first; begin < last; begin += kChunk) {
    const int64_t count = std::min(kChunk, last - begin);
    of.x.read_line(source, lane, begin, count, value);
    std::fill(value + count, value + kChunk, value[0]);
    for (int64_t i = 0; i < kChunk; ++i) {
      const auto whole = static_cast<int32_t>(code_of<Type>(value[i], low, scale, levels));
      code[i] = static_cast<uint32_t>(whole);
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t element = begin + i;
      const auto shift = static_cast<int>(element * bits % 32);
      word |= code[i] << shift;
      if (shift + bits < 32 && element + 1 < last) continue;
      const int64_t at = element * bits / 32;
      uint32_t& out = of.words.at(target, lane, at);
      out = at * 32 < first * bits ? out | word : word;
      word = 0;
    }
  }
  return finite;
}

template <typename Type>
bool quantise_item(const LinesAtWork& of, int64_t source, int64_t target) {
  const int64_t step = of.side_by_side ? kChunk : 1;
  bool finite = true;
  for (int64_t lane = 0; lane < of.lanes; lane += step) {
    for (int64_t group = 0; group < group_count(of.elements, of.group); ++group) {
      const bool of_group = of.side_by_side
                                ? quantise_lanes<Type>(of, source, target, lane,
                                                       std::min(kChunk, of.lanes - lane), group)
                                : quantise_line<Type>(of, source, target, lane, group);
      finite = finite && of_group;
    }
  }
  return finite;
}

}  // namespace

at::Tensor quantise_cpu(const at::Tensor& x_tensor,
                        c10::IntArrayRef source,
                        const at::Tensor& codes,
                        const at::Tensor& scale_tensor,
                        const at::Tensor& minimum_tensor,
                        c10::IntArrayRef target,
                        int64_t bits,
                        int64_t group) {
  const auto count = static_cast<int64_t>(source.size());
  at::Tensor finite = at::empty({count}, x_tensor.options().dtype(at::kBool));
  bool* is_finite = finite.mutable_data_ptr<bool>();
  const LinesAtWork lines(x_tensor, codes, scale_tensor, minimum_tensor, bits, group);
  for_each_item(lines, scale_tensor.scalar_type(), count, [&](auto zero, int64_t i) {
    is_finite[i] = quantise_item<decltype(zero)>(lines, source[i], target[i]);
  });
  return finite;
}

}  // namespace kvscope
