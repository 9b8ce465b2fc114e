#pragma once

namespace kvscope {

/// Bytes in MiB, 2^20 of them.
template <class Number>
constexpr double mebibytes(Number bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace kvscope
