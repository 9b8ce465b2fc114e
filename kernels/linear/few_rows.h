#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope {

/// Products of a few fp32 rows with rows of a weight matrix, written for a set of instructions.
///
/// Every product of a row and a weight is summed in sixteen lanes, lane i taking channels
/// i, i + 16, ..., one multiply-add each; the lanes are added pairwise, upper half to lower. So the
/// bodies agree bit by bit, and with any number of rows.
struct RowProducts {
  const float* x = nullptr;  ///< [rows, in]
  int64_t rows = 0;
  int64_t in = 0;
  const void* weight = nullptr;      ///< [outputs, in]
  at::ScalarType type = at::kFloat;  ///< of the weight: kFloat or kBFloat16
  float* y = nullptr;                ///< [rows, outputs], `y_stride` floats from row to row
  int64_t y_stride = 0;
};

/// Outputs that a body computes together; work is cut at multiples of it.
inline constexpr int64_t kOutputTile = 8;

/// y[r, o] for outputs first .. last - 1.
using RowProductsBody = void (*)(const RowProducts& of, int64_t first, int64_t last);

/// Runs on every CPU that the program runs on.
void row_products_avx2(const RowProducts& of, int64_t first, int64_t last);
/// For CPUs with AVX-512 F, BW, VL.
void row_products_avx512(const RowProducts& of, int64_t first, int64_t last);

/// The widest that this CPU has.
RowProductsBody row_products();

}  // namespace kvscope
