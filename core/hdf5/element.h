#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/hdf5/handle.h"

namespace kvscope::hdf5 {

/// What one element of a dataset is. kText is UTF-8 of a fixed number of bytes, zero-padded.
enum class Element { kF16, kF32, kF64, kI32, kI64, kU8, kU64, kText };

std::string_view element_name(Element element);

/// Bytes of one element; `text_bytes` is the width of kText.
int64_t element_bytes(Element element, int64_t text_bytes);

/// The little-endian file type, which is also the memory type. f16 is IEEE half (numpy float16).
Handle element_type(Element element, int64_t text_bytes);

/// The element that `type`, the type of the object at `where`, stands for. Throws Error(kInput) for
/// any other type. `text_bytes` receives the width of kText.
Element element_of_type(hid_t type, const std::string& where, int64_t& text_bytes);

/// The Element of a C++ type; std::string is kText.
template <class T>
constexpr Element element_of() {
  if constexpr (std::is_same_v<T, float>) return Element::kF32;
  if constexpr (std::is_same_v<T, double>) return Element::kF64;
  if constexpr (std::is_same_v<T, int32_t>) return Element::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return Element::kI64;
  if constexpr (std::is_same_v<T, uint8_t>) return Element::kU8;
  if constexpr (std::is_same_v<T, uint64_t>) return Element::kU64;
  if constexpr (std::is_same_v<T, std::string>) return Element::kText;
}

template <class T>
concept Storable = std::is_same_v<T, float> || std::is_same_v<T, double> ||
    std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t> || std::is_same_v<T, uint8_t> ||
    std::is_same_v<T, uint64_t> || std::is_same_v<T, std::string>;

}  // namespace kvscope::hdf5
