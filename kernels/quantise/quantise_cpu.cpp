#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/quantise/quantise.h"
#include "kernels/ragged/checks.h"

namespace kvscope {
namespace {

constexpr int64_t kElementsPerThread = 64 * 1024;
constexpr int64_t kChunk = 64;  // lanes, or elements of a line, at work together

/// Adding it to 0 .. 2^22 leaves no bits behind the point: the sum is rounded, half to even.
constexpr float kRoundingShift = 12582912.0F;

/// `value` in the type the arithmetic is rounded to. The barrier keeps a product from being fused
/// with the sum that follows it, which would skip its rounding.
template <typename Type>
inline float rounded(float value) {
  return static_cast<float>(static_cast<Type>(value));
}
template <>
inline float rounded<float>(float value) {
  return __builtin_assoc_barrier(value);
}

template <typename Type>
void widen_type(const void* data, int64_t stride, int64_t count, float* out) {
  const auto* from = static_cast<const Type*>(data);
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(from[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(from[i * stride]);
  }
}

template <typename Type>
void narrow_type(const float* from, int64_t stride, int64_t count, void* data) {
  auto* out = static_cast<Type*>(data);
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Type>(from[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) out[i * stride] = static_cast<Type>(from[i]);
  }
}

/// A tensor [items, lanes, elements] of fp32, bf16 or fp16 by pointer and strides.
class Numbers {
 public:
  explicit Numbers(const at::Tensor& tensor)
      : data_(static_cast<char*>(const_cast<void*>(tensor.const_data_ptr()))),
        type_(tensor.scalar_type()),
        bytes_(static_cast<int64_t>(tensor.element_size())),
        item_(tensor.stride(0)),
        lane_(tensor.stride(1)),
        element_(tensor.stride(2)) {}

  /// Elements `first` .. of one line.
  void read_line(int64_t item, int64_t lane, int64_t first, int64_t count, float* out) const {
    read(at(item, lane, first), element_, count, out);
  }
  /// One element of lanes `first` ...
  void read_lanes(int64_t item, int64_t first, int64_t element, int64_t count, float* out) const {
    read(at(item, first, element), lane_, count, out);
  }
  void write_line(
      int64_t item, int64_t lane, int64_t first, int64_t count, const float* from) const {
    write(from, element_, count, at(item, lane, first));
  }
  void write_lanes(
      int64_t item, int64_t first, int64_t element, int64_t count, const float* from) const {
    write(from, lane_, count, at(item, first, element));
  }

 private:
  [[nodiscard]] char* at(int64_t item, int64_t lane, int64_t element) const {
    return data_ + (item * item_ + lane * lane_ + element * element_) * bytes_;
  }
  void read(const char* from, int64_t stride, int64_t count, float* out) const {
    if (type_ == at::kFloat) {
      widen_type<float>(from, stride, count, out);
    } else if (type_ == at::kBFloat16) {
      widen_type<at::BFloat16>(from, stride, count, out);
    } else {
      widen_type<at::Half>(from, stride, count, out);
    }
  }
  void write(const float* from, int64_t stride, int64_t count, char* to) const {
    if (type_ == at::kFloat) {
      narrow_type<float>(from, stride, count, to);
    } else if (type_ == at::kBFloat16) {
      narrow_type<at::BFloat16>(from, stride, count, to);
    } else {
      narrow_type<at::Half>(from, stride, count, to);
    }
  }

  char* data_;
  at::ScalarType type_;
  int64_t bytes_;
  int64_t item_;
  int64_t lane_;
  int64_t element_;
};

/// The words of PackedLines.
class Words {
 public:
  explicit Words(const at::Tensor& codes)
      : data_(reinterpret_cast<uint32_t*>(const_cast<int32_t*>(codes.const_data_ptr<int32_t>()))),
        item_(codes.stride(0)),
        lane_(codes.stride(1)),
        word_(codes.stride(2)) {}

  [[nodiscard]] uint32_t& at(int64_t item, int64_t lane, int64_t word) const {
    return data_[item * item_ + lane * lane_ + word * word_];
  }

 private:
  uint32_t* data_;
  int64_t item_;
  int64_t lane_;
  int64_t word_;
};

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
bool quantise_lanes(const Numbers& x,
                    const Numbers& scale_out,
                    const Numbers& minimum_out,
                    const Words& words,
                    int64_t source,
                    int64_t target,
                    int64_t first_lane,
                    int64_t lanes,
                    int64_t group,
                    int64_t first,
                    int64_t last,
                    int64_t bits) {
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
    x.read_lanes(source, first_lane, element, lanes, value);
    for (int64_t i = 0; i < lanes; ++i) {
      low[i] = value[i] < low[i] ? value[i] : low[i];
      high[i] = value[i] > high[i] ? value[i] : high[i];
      scale[i] += value[i] * 0.0F;
    }
  }
  const bool finite = scales<Type>(lanes, levels, low, high, scale);
  scale_out.write_lanes(target, first_lane, group, lanes, scale);
  minimum_out.write_lanes(target, first_lane, group, lanes, low);

  std::fill_n(word, lanes, 0U);
  for (int64_t element = first; element < last; ++element) {
    x.read_lanes(source, first_lane, element, lanes, value);
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
      uint32_t& out = words.at(target, first_lane + i, at);
      out = is_begun ? out | word[i] : word[i];
      word[i] = 0;
    }
  }
  return finite;
}

/// One group of one line.
template <typename Type>
bool quantise_line(const Numbers& x,
                   const Numbers& scale_out,
                   const Numbers& minimum_out,
                   const Words& words,
                   int64_t source,
                   int64_t target,
                   int64_t lane,
                   int64_t group,
                   int64_t first,
                   int64_t last,
                   int64_t bits) {
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
    x.read_line(source, lane, begin, count, value);
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
  scale_out.write_line(target, lane, group, 1, &scale);
  minimum_out.write_line(target, lane, group, 1, &low);

  uint32_t code[kChunk];
  uint32_t word = 0;
  for (int64_t begin = first; begin < last; begin += kChunk) {
    const int64_t count = std::min(kChunk, last - begin);
    x.read_line(source, lane, begin, count, value);
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
      uint32_t& out = words.at(target, lane, at);
      out = at * 32 < first * bits ? out | word : word;
      word = 0;
    }
  }
  return finite;
}

template <typename Type>
bool quantise_item(const at::Tensor& x_tensor,
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
  const bool side_by_side = lanes > 1 && x_tensor.stride(1) == 1;
  const int64_t step = side_by_side ? kChunk : 1;
  bool finite = true;
  for (int64_t lane = 0; lane < lanes; lane += step) {
    for (int64_t g = 0; g < group_count(elements, group); ++g) {
      const int64_t first = g * group;
      const int64_t last = std::min(first + group, elements);
      const bool of_group =
          side_by_side ? quantise_lanes<Type>(x, scale, minimum, words, source, target, lane,
                                              std::min(kChunk, lanes - lane), g, first, last, bits)
                       : quantise_line<Type>(x, scale, minimum, words, source, target, lane, g,
                                             first, last, bits);
      finite = finite && of_group;
    }
  }
  return finite;
}

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

/// Calls `body` with a value of the type that arithmetic is rounded to.
template <typename Body>
void with_type(at::ScalarType type, const Body& body) {
  if (type == at::kFloat) {
    body(float{});
  } else if (type == at::kBFloat16) {
    body(at::BFloat16{});
  } else {
    body(at::Half{});
  }
}

int64_t items_per_thread(const at::Tensor& x) {
  return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(1, x.size(1) * x.size(2)));
}

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
  const Numbers x(x_tensor);
  const Numbers scale(scale_tensor);
  const Numbers minimum(minimum_tensor);
  const Words words(codes);
  with_type(scale_tensor.scalar_type(), [&](auto zero) {
    at::parallel_for(0, count, items_per_thread(x_tensor), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        is_finite[i] = quantise_item<decltype(zero)>(x_tensor, x, scale, minimum, words, source[i],
                                                     target[i], bits, group);
      }
    });
  });
  return finite;
}

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

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "quantise(Tensor x, int[] source, Tensor(a!) codes, Tensor(b!) scale, Tensor(c!) minimum, "
      "int[] target, int bits, int group) -> Tensor");
  library.def(
      "dequantise(Tensor codes, Tensor scale, Tensor minimum, int[] source, Tensor(a!) x, "
      "int[] target, int bits, int group) -> ()");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("quantise", &quantise_cpu);
  library.impl("dequantise", &dequantise_cpu);
}

void check_numbers(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.dim() == 3, op, ": ", name, " has shape ", tensor.sizes(),
              ", expected [items, lanes, elements]");
  TORCH_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16 ||
                  tensor.scalar_type() == at::kHalf,
              op, ": ", name, " is ", tensor.scalar_type(),
              ", expected float32, bfloat16 or float16");
}

void check_indices(const char* op,
                   const char* name,
                   std::span<const int64_t> indices,
                   int64_t items) {
  for (const int64_t index : indices) {
    TORCH_CHECK(index >= 0 && index < items, op, ": ", name, " index ", index, " is outside [0, ",
                items, ")");
  }
}

void check_lines(const char* op, const at::Tensor& x, const PackedLines& lines) {
  TORCH_CHECK(lines.bits == 2 || lines.bits == 4 || lines.bits == 8, op, ": bits is ", lines.bits,
              ", expected 2, 4 or 8");
  TORCH_CHECK(lines.group >= 1, op, ": group is ", lines.group, ", expected at least 1");
  check_numbers(op, "x", x);
  check_numbers(op, "scale", lines.scale);
  check_numbers(op, "minimum", lines.minimum);
  const int64_t words = code_words(x.size(2), lines.bits);
  TORCH_CHECK(lines.codes.dim() == 3 && lines.codes.scalar_type() == at::kInt &&
                  lines.codes.size(1) == x.size(1) && lines.codes.size(2) == words,
              op, ": codes are ", lines.codes.scalar_type(), " ", lines.codes.sizes(),
              ", expected int32 [items, ", x.size(1), ", ", words, "]");
  const int64_t groups = group_count(x.size(2), lines.group);
  for (const at::Tensor* tensor : {&lines.scale, &lines.minimum}) {
    TORCH_CHECK(tensor->size(0) == lines.codes.size(0) && tensor->size(1) == x.size(1) &&
                    tensor->size(2) == groups && tensor->scalar_type() == lines.scale.scalar_type(),
                op, ": scale and minimum are ", lines.scale.sizes(), " and ", lines.minimum.sizes(),
                ", expected both [", lines.codes.size(0), ", ", x.size(1), ", ", groups,
                "] of one type");
  }
  TORCH_CHECK(lines.codes.device() == x.device() && lines.scale.device() == x.device() &&
                  lines.minimum.device() == x.device(),
              op, ": codes are on ", lines.codes.device(), ", x on ", x.device());
}

}  // namespace

at::Tensor quantise(const at::Tensor& x,
                    std::span<const int64_t> source,
                    const PackedLines& to,
                    std::span<const int64_t> target) {
  check_lines("quantise", x, to);
  TORCH_CHECK(source.size() == target.size(), "quantise: ", source.size(), " sources and ",
              target.size(), " targets");
  check_indices("quantise", "source", source, x.size(0));
  check_indices("quantise", "target", target, to.codes.size(0));
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::quantise", "")
                             .typed<decltype(quantise_cpu)>();
  return op.call(x, as_array(source), to.codes, to.scale, to.minimum, as_array(target), to.bits,
                 to.group);
}

void dequantise(const PackedLines& from,
                std::span<const int64_t> source,
                const at::Tensor& x,
                std::span<const int64_t> target) {
  check_lines("dequantise", x, from);
  TORCH_CHECK(source.size() == target.size(), "dequantise: ", source.size(), " sources and ",
              target.size(), " targets");
  check_indices("dequantise", "source", source, from.codes.size(0));
  check_indices("dequantise", "target", target, x.size(0));
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::dequantise", "")
                             .typed<decltype(dequantise_cpu)>();
  op.call(from.codes, from.scale, from.minimum, as_array(source), x, as_array(target), from.bits,
          from.group);
}

}  // namespace kvscope
