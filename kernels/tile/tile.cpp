#include "kernels/tile/tile.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/tile/exp.h"

namespace kvscope {
namespace {

inline __m256 load8(const float* from) {
  return _mm256_loadu_ps(from);
}

inline __m256 load8(const at::BFloat16* from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

inline float load1(const float* from) {
  return *from;
}

inline float load1(const at::BFloat16* from) {
  uint16_t half = 0;
  std::memcpy(&half, from, sizeof half);
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Calls body(pointer to the first element in its own type).
template <typename Body>
void with_type(const RowSource& rows, const Body& body) {
  if (rows.type == at::kBFloat16) {
    body(static_cast<const at::BFloat16*>(rows.data));
  } else {
    body(static_cast<const float*>(rows.data));
  }
}

void transpose8(__m256 (&r)[8]) {
  __m256 t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  __m256 u[8];
#pragma GCC unroll 8
  for (int i = 0; i < 2; ++i) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

/// One register tile: C [rows, 16] over one panel. Six rows of two vectors fill 12 of the 16
/// registers with accumulators; the remainder holds the panel's row and the broadcast.
template <int kRows>
void multiply_tile(const float* a,
                   int64_t a_stride,
                   const float* panel,
                   int64_t depth,
                   float* c,
                   int64_t c_stride,
                   bool accumulate) {
  // Every loop over the rows is unrolled: one that is not would keep the sums in memory.
  __m256 sum[kRows][2];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    sum[i][0] = accumulate ? _mm256_loadu_ps(c + i * c_stride) : _mm256_setzero_ps();
    sum[i][1] = accumulate ? _mm256_loadu_ps(c + i * c_stride + 8) : _mm256_setzero_ps();
  }
  for (int64_t d = 0; d < depth; ++d) {
    const __m256 low = _mm256_loadu_ps(panel + d * kPanelWidth);
    const __m256 high = _mm256_loadu_ps(panel + d * kPanelWidth + 8);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m256 factor = _mm256_broadcast_ss(a + i * a_stride + d);
      sum[i][0] = _mm256_fmadd_ps(factor, low, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps(factor, high, sum[i][1]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; ++i) {
    _mm256_storeu_ps(c + i * c_stride, sum[i][0]);
    _mm256_storeu_ps(c + i * c_stride + 8, sum[i][1]);
  }
}

using TileFunction = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t, bool);
constexpr TileFunction kTiles[7] = {nullptr,          multiply_tile<1>, multiply_tile<2>,
                                    multiply_tile<3>, multiply_tile<4>, multiply_tile<5>,
                                    multiply_tile<6>};

}  // namespace

RowSource RowSource::from(int64_t row) const {
  const auto bytes = static_cast<int64_t>(c10::elementSize(type));
  return {static_cast<const char*>(data) + row * stride * bytes, type, stride};
}

RowSource rows_of(const at::Tensor& tensor, int64_t row, int64_t head) {
  const auto bytes = static_cast<int64_t>(tensor.element_size());
  const int64_t offset = row * tensor.stride(0) + head * tensor.stride(1);
  return {static_cast<const char*>(tensor.const_data_ptr()) + offset * bytes, tensor.scalar_type(),
          tensor.stride(2)};
}

RowSource rows_of(const at::Tensor& arena, int64_t begin) {
  return RowSource{arena.const_data_ptr(), arena.scalar_type(), arena.stride(0)}.from(begin);
}

at::Tensor with_adjacent_channels(const at::Tensor& tensor) {
  return tensor.stride(-1) == 1 || tensor.size(-1) == 1 ? tensor : tensor.contiguous();
}

Scratch::Scratch(int64_t floats) {
  const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + 63) / 64 * 64;
  data_.reset(static_cast<float*>(std::aligned_alloc(64, std::max<size_t>(bytes, 64))));
  if (data_ == nullptr) throw std::bad_alloc();
}

void Scratch::Free::operator()(float* data) const {
  std::free(data);
}

void widen_rows(const RowSource& rows, int64_t count, int64_t depth, float factor, float* out) {
  with_type(rows, [&](const auto* from) {
    const __m256 factors = _mm256_set1_ps(factor);
    for (int64_t j = 0; j < count; ++j, from += rows.stride, out += depth) {
      int64_t d = 0;
      for (; d + 8 <= depth; d += 8) {
        _mm256_storeu_ps(out + d, _mm256_mul_ps(load8(from + d), factors));
      }
      for (; d < depth; ++d) out[d] = load1(from + d) * factor;
    }
  });
}

void pack_transposed(const RowSource& rows, int64_t count, int64_t depth, float* panels) {
  with_type(rows, [&](const auto* from) {
    for (int64_t j = 0; j < count; j += 8) {
      float* panel = panels + j / kPanelWidth * depth * kPanelWidth + j % kPanelWidth;
      const int64_t here = std::min<int64_t>(8, count - j);
      int64_t d = 0;
      for (; d + 8 <= depth; d += 8) {
        __m256 block[8];
#pragma GCC unroll 8
        for (int64_t i = 0; i < 8; ++i) {
          block[i] = i < here ? load8(from + (j + i) * rows.stride + d) : _mm256_setzero_ps();
        }
        transpose8(block);
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) _mm256_storeu_ps(panel + (d + i) * kPanelWidth, block[i]);
      }
      for (; d < depth; ++d) {
        for (int64_t i = 0; i < 8; ++i) {
          panel[d * kPanelWidth + i] = i < here ? load1(from + (j + i) * rows.stride + d) : 0.0F;
        }
      }
    }
    if (const int64_t odd = (count + 7) / 8; odd % 2 != 0) {  // the panel's second half
      float* panel = panels + odd / 2 * depth * kPanelWidth + 8;
      for (int64_t d = 0; d < depth; ++d) {
        _mm256_storeu_ps(panel + d * kPanelWidth, _mm256_setzero_ps());
      }
    }
  });
}

void pack_rows(const RowSource& rows, int64_t count, int64_t depth, float* panels) {
  with_type(rows, [&](const auto* from) {
    for (int64_t j = 0; j < count; ++j, from += rows.stride) {
      float* out = panels + j * kPanelWidth;
      int64_t d = 0;
      for (; d + kPanelWidth <= depth; d += kPanelWidth, out += count * kPanelWidth) {
        _mm256_storeu_ps(out, load8(from + d));
        _mm256_storeu_ps(out + 8, load8(from + d + 8));
      }
      if (d < depth) {
        for (int64_t i = 0; i < kPanelWidth; ++i) {
          out[i] = d + i < depth ? load1(from + d + i) : 0.0F;
        }
      }
    }
  });
}

void multiply_panels(const float* a,
                     int64_t a_stride,
                     int64_t m,
                     const float* panels,
                     int64_t depth,
                     int64_t n,
                     float* c,
                     int64_t c_stride,
                     bool accumulate) {
  for (int64_t column = 0; column < n; column += kPanelWidth) {
    const float* panel = panels + column * depth;
    int64_t i = 0;
    for (; i + 6 <= m; i += 6) {
      multiply_tile<6>(a + i * a_stride, a_stride, panel, depth, c + i * c_stride + column,
                       c_stride, accumulate);
    }
    if (i < m) {
      kTiles[m - i](a + i * a_stride, a_stride, panel, depth, c + i * c_stride + column, c_stride,
                    accumulate);
    }
  }
}

void multiply_few(const float* a,
                  int64_t m,
                  const RowSource& rows,
                  int64_t count,
                  int64_t depth,
                  float* scores,
                  int64_t stride) {
  with_type(rows, [&](const auto* from) {
    const int64_t whole = depth / 8 * 8;
    for (int64_t j = 0; j < count; ++j, from += rows.stride) {
      for (int64_t i = 0; i < m; ++i) {
        const float* query = a + i * depth;
        __m256 even = _mm256_setzero_ps();
        __m256 odd = _mm256_setzero_ps();
        int64_t d = 0;
        for (; d + 16 <= whole; d += 16) {
          even = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), load8(from + d), even);
          odd = _mm256_fmadd_ps(_mm256_loadu_ps(query + d + 8), load8(from + d + 8), odd);
        }
        if (d < whole) even = _mm256_fmadd_ps(_mm256_loadu_ps(query + d), load8(from + d), even);
        float sum = horizontal_sum(_mm256_add_ps(even, odd));
        for (d = whole; d < depth; ++d) sum += query[d] * load1(from + d);
        scores[i * stride + j] = sum;
      }
    }
  });
  for (int64_t i = 0; i < m; ++i) {
    std::fill(scores + i * stride + count, scores + i * stride + round_to_panel(count), 0.0F);
  }
}

void accumulate_few(const float* weights,
                    int64_t m,
                    int64_t stride,
                    const RowSource& rows,
                    int64_t count,
                    int64_t depth,
                    float* out,
                    int64_t out_stride) {
  with_type(rows, [&](const auto* from) {
    for (int64_t j = 0; j < count; ++j, from += rows.stride) {
      for (int64_t i = 0; i < m; ++i) {
        const float weight = weights[i * stride + j];
        const __m256 factor = _mm256_set1_ps(weight);
        float* sum = out + i * out_stride;
        int64_t d = 0;
        for (; d + 8 <= depth; d += 8) {
          const __m256 old = _mm256_loadu_ps(sum + d);
          _mm256_storeu_ps(sum + d, _mm256_fmadd_ps(factor, load8(from + d), old));
        }
        for (; d < depth; ++d) sum[d] += weight * load1(from + d);
      }
    }
  });
}

}  // namespace kvscope
