#include <immintrin.h>

#include <type_traits>

#include "kernels/linear/few_rows.h"
#include "kernels/linear/few_rows_tiles.h"
#include "kernels/tile/exp.h"

// The file is compiled for the oldest CPU that the program runs on: only what carries this may use
// more, and nothing inline that other files share may carry it.
#define KVSCOPE_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma")))

namespace kvscope {
namespace {

using few_rows::kLanes;

/// GCC 12 warns of its own header in the forms without a mask (bug 105593).
constexpr __mmask16 kAllLanes = 0xffff;

KVSCOPE_AVX512 inline __m512 load(const float* from) {
  return _mm512_loadu_ps(from);
}

KVSCOPE_AVX512 inline __m512 load(const c10::BFloat16* from) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(
      _mm512_maskz_slli_epi32(kAllLanes, _mm512_maskz_cvtepu16_epi32(kAllLanes, half), 16));
}

KVSCOPE_AVX512 inline float lane_sum(__m512 lanes) {
  alignas(64) float stored[kLanes];
  _mm512_store_ps(stored, lanes);
  return horizontal_sum(_mm256_add_ps(_mm256_load_ps(stored), _mm256_load_ps(stored + 8)));
}

template <int Rows, int Outputs, typename Weight>
KVSCOPE_AVX512 void tile(const RowProducts& of, int64_t row, int64_t output) {
  const float* x = of.x + row * of.in;
  const Weight* w = static_cast<const Weight*>(of.weight) + output * of.in;
  __m512 sums[Rows][Outputs];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) sums[r][o] = _mm512_setzero_ps();
  }
  int64_t i = 0;
  for (; i + kLanes <= of.in; i += kLanes) {
    __m512 xs[Rows];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) xs[r] = load(x + r * of.in + i);
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      const __m512 ws = load(w + o * of.in + i);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) sums[r][o] = _mm512_fmadd_ps(xs[r], ws, sums[r][o]);
    }
  }
  if (i < of.in) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      const auto ws = few_rows::padded_lanes(w + o * of.in + i, of.in - i);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const auto xs = few_rows::padded_lanes(x + r * of.in + i, of.in - i);
        sums[r][o] = _mm512_fmadd_ps(load(xs.data()), load(ws.data()), sums[r][o]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; ++o) {
      of.y[(row + r) * of.y_stride + output + o] = lane_sum(sums[r][o]);
    }
  }
}

template <typename Weight>
void all_tiles(const RowProducts& of, int64_t first, int64_t last) {
  const auto one = [&](auto rows, auto outputs, int64_t row, int64_t output) {
    tile<rows(), outputs(), Weight>(of, row, output);
  };
  if (of.rows == 1) {
    few_rows::for_each_tile<1, 8>(of.rows, first, last, one);
  } else if (of.rows == 2) {
    few_rows::for_each_tile<2, 4>(of.rows, first, last, one);
  } else {
    few_rows::for_each_tile<4, 4>(of.rows, first, last, one);
  }
}

}  // namespace

void row_products_avx512(const RowProducts& of, int64_t first, int64_t last) {
  if (of.type == at::kFloat) {
    all_tiles<float>(of, first, last);
  } else {
    all_tiles<c10::BFloat16>(of, first, last);
  }
}

}  // namespace kvscope
