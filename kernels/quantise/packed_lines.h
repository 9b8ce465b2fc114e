#pragma once

// What packing and unpacking on a CPU have in common: numbers rounded to a storage type, tensors by
// pointer and strides, words of codes. For the sources of this folder.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstdint>

namespace kvscope::packing {

inline constexpr int64_t kElementsPerThread = 65536;
inline constexpr int64_t kChunk = 64;  // lanes, or elements of a line, at work together

/// Adding it to 0 .. 2^22 leaves no bits behind the point: the sum is rounded, half to even.
inline constexpr float kRoundingShift = 12582912.0F;

/// `value` in the type the arithmetic is rounded to. The barrier keeps a product from being fused
/// with the sum that follows it, which would skip its rounding.
template <typename Type>
inline float rounded(float value) {
  return static_cast<float>(static_cast<Type>(value));
}
template <>
inline float rounded<float>(float value) {
#if __has_builtin(__builtin_assoc_barrier)
  return __builtin_assoc_barrier(value);
#else  // Clang, which fuses a product and a sum of one expression only
  return value;
#endif
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

/// What packing and unpacking of one call work on.
struct LinesAtWork {
  LinesAtWork(const at::Tensor& x_tensor,
              const at::Tensor& codes,
              const at::Tensor& scale_tensor,
              const at::Tensor& minimum_tensor,
              int64_t bits_of_code,
              int64_t group_elements)
      : x(x_tensor),
        scale(scale_tensor),
        minimum(minimum_tensor),
        words(codes),
        lanes(x_tensor.size(1)),
        elements(x_tensor.size(2)),
        bits(bits_of_code),
        group(group_elements),
        side_by_side(lanes > 1 && x_tensor.stride(1) == 1) {}

  Numbers x;
  Numbers scale;
  Numbers minimum;
  Words words;
  int64_t lanes;
  int64_t elements;
  int64_t bits;
  int64_t group;      ///< elements that share a scale
  bool side_by_side;  ///< lanes are neighbours in memory
};

/// Calls body(zero, i) for items 0 .. count - 1 on several threads, `zero` being of the type that
/// arithmetic is rounded to.
template <typename Body>
void for_each_item(const LinesAtWork& lines,
                   at::ScalarType arithmetic,
                   int64_t count,
                   const Body& body) {
  const int64_t grain =
      std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(1, lines.lanes * lines.elements));
  with_type(arithmetic, [&](auto zero) {
    at::parallel_for(0, count, grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) body(zero, i);
    });
  });
}

}  // namespace kvscope::packing
