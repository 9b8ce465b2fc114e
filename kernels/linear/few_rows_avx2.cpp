#include <immintrin.h>

#include "kernels/linear/few_rows.h"
#include "kernels/linear/few_rows_tiles.h"
#include "kernels/tile/exp.h"

namespace kvscope {
namespace {

using few_rows::kLanes;

/// Sixteen lanes in two registers.
struct Lanes {
  __m256 lower;
  __m256 upper;
};

Lanes load(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}

__m256 widened(__m128i half) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

Lanes load(const c10::BFloat16* from) {
  const auto* halves = reinterpret_cast<const __m128i*>(from);
  return {widened(_mm_loadu_si128(halves)), widened(_mm_loadu_si128(halves + 1))};
}

Lanes multiply_add(const Lanes& a, const Lanes& b, const Lanes& c) {
  return {_mm256_fmadd_ps(a.lower, b.lower, c.lower), _mm256_fmadd_ps(a.upper, b.upper, c.upper)};
}

template <int Rows, int Outputs, typename Weight>
void tile(const RowProducts& of, int64_t row, int64_t output) {
  const float* x = of.x + row * of.in;
  const Weight* w = static_cast<const Weight*>(of.weight) + output * of.in;
  Lanes sums[Rows][Outputs];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) sums[r][o] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  }
  int64_t i = 0;
  for (; i + kLanes <= of.in; i += kLanes) {
    Lanes xs[Rows];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) xs[r] = load(x + r * of.in + i);
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      const Lanes ws = load(w + o * of.in + i);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) sums[r][o] = multiply_add(xs[r], ws, sums[r][o]);
    }
  }
  if (i < of.in) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      const auto ws = few_rows::padded_lanes(w + o * of.in + i, of.in - i);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const auto xs = few_rows::padded_lanes(x + r * of.in + i, of.in - i);
        sums[r][o] = multiply_add(load(xs.data()), load(ws.data()), sums[r][o]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      of.y[(row + r) * of.y_stride + output + o] =
          horizontal_sum(_mm256_add_ps(sums[r][o].lower, sums[r][o].upper));
    }
  }
}

template <typename Weight>
void all_tiles(const RowProducts& of, int64_t first, int64_t last) {
  const auto one = [&](auto rows, auto outputs, int64_t row, int64_t output) {
    tile<rows(), outputs(), Weight>(of, row, output);
  };
  if (of.rows == 1) {
    few_rows::for_each_tile<1, 4>(of.rows, first, last, one);
  } else {
    few_rows::for_each_tile<2, 2>(of.rows, first, last, one);
  }
}

}  // namespace

void row_products_avx2(const RowProducts& of, int64_t first, int64_t last) {
  if (of.type == at::kFloat) {
    all_tiles<float>(of, first, last);
  } else {
    all_tiles<c10::BFloat16>(of, first, last);
  }
}

}  // namespace kvscope
