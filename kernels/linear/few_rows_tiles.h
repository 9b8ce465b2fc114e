#pragma once

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/linear/few_rows.h"

namespace kvscope::few_rows {

inline constexpr int64_t kLanes = 16;

/// What is left of the channels behind the last whole sixteen, with zeros behind it.
template <typename Type>
std::array<Type, kLanes> padded_lanes(const Type* from, int64_t count) {
  std::array<Type, kLanes> lanes{};
  std::copy_n(from, count, lanes.begin());
  return lanes;
}

/// Cuts outputs first .. last - 1 and the rows into tiles: `tile(rows, outputs, r, o)` is called
/// with std::integral_constants, at most `Rows` and `Outputs`. Rows are the inner loop: the weights
/// of a tile come from memory once and stay near for the other rows.
template <int Rows, int Outputs, typename Tile>
void for_each_tile(int64_t rows, int64_t first, int64_t last, const Tile& tile) {
  const auto rows_of = [&](auto outputs, int64_t o) {
    int64_t r = 0;
    for (; r + Rows <= rows; r += Rows) tile(std::integral_constant<int, Rows>(), outputs, r, o);
    if constexpr (Rows > 3) {
      if (rows - r == 3) tile(std::integral_constant<int, 3>(), outputs, r, o);
    }
    if constexpr (Rows > 2) {
      if (rows - r == 2) tile(std::integral_constant<int, 2>(), outputs, r, o);
    }
    if (rows - r == 1) tile(std::integral_constant<int, 1>(), outputs, r, o);
  };
  int64_t o = first;
  for (; o + Outputs <= last; o += Outputs) rows_of(std::integral_constant<int, Outputs>(), o);
  for (; o < last; ++o) rows_of(std::integral_constant<int, 1>(), o);
}

}  // namespace kvscope::few_rows
