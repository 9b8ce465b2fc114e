#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace kvscope {

/// 32-bit words of a line of codes.
inline constexpr int64_t code_words(int64_t elements, int64_t bits) {
  return (elements * bits + 31) / 32;
}

/// Groups of a line; the last one is shorter where `group` does not divide `elements`.
inline constexpr int64_t group_count(int64_t elements, int64_t group) {
  return (elements + group - 1) / group;
}

/// Numbers as small integers, `group` neighbours of a line sharing a scale and a minimum:
///   scale = (max - min) / (2^bits - 1), code = round(clamp((x - min) / scale, 0, 2^bits - 1)),
///   x' = code * scale + min
/// (KIVI, arXiv:2402.02750). Every operation is rounded to the type of scale and minimum, and half
/// a code goes to the even one. A constant group has scale 0 and codes 0, and comes back exactly.
/// An item holds `lanes` lines: a token's values are one line of channels; a group of tokens' keys
/// one line of tokens for every channel. Any strides.
struct PackedLines {
  at::Tensor codes;    ///< [items, lanes, words] int32; 32 / bits a word, the first in the low bits
  at::Tensor scale;    ///< [items, lanes, groups] fp32, bf16 or fp16
  at::Tensor minimum;  ///< likewise
  int64_t bits = 4;    ///< 2, 4 or 8
  int64_t group = 32;  ///< elements of a line that share a scale
};

/// Quantises item source[i] of `x` [items, lanes, elements] (fp32, bf16 or fp16, any strides, items
/// may overlap) into item target[i] of `to`. Returns a bool tensor [source.size()] on the device of
/// `x`: whether a finite scale came out, which is false where the item holds NaN or infinity, or
/// spans more than its type. Targets are distinct. Throws c10::Error where shapes, types or indices
/// do not fit.
at::Tensor quantise(const at::Tensor& x,
                    std::span<const int64_t> source,
                    const PackedLines& to,
                    std::span<const int64_t> target);

/// Writes the numbers of item source[i] of `from` to item target[i] of `x`, rounded to the type of
/// `x`.
void dequantise(const PackedLines& from,
                std::span<const int64_t> source,
                const at::Tensor& x,
                std::span<const int64_t> target);

}  // namespace kvscope
