#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace kvscope {

/// The CPU building blocks of every kernel that multiplies queries with ragged keys: rows of fp32
/// or bf16 are widened and packed into panels that the register tile reads in order.
///
/// A panel is 16 columns wide, zero padded: B [depth, n] becomes [ceil(n / 16)][depth][16]. Packed,
/// a panel is one run of at most 16 KiB that stays in the first-level cache; unpacked, rows a power
/// of two apart would evict each other there.
inline constexpr int64_t kPanelWidth = 16;

inline constexpr int64_t round_to_panel(int64_t n) {
  return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth;
}

/// Rows of one (row, head) in memory: elements of a row are adjacent, rows `stride` elements apart.
struct RowSource {
  const void* data = nullptr;
  at::ScalarType type = at::kFloat;  ///< kFloat or kBFloat16
  int64_t stride = 0;

  [[nodiscard]] RowSource from(int64_t row) const;
};

/// Rows [tokens, head_dim] of (row, head) in a tensor [rows, heads, tokens, head_dim].
RowSource rows_of(const at::Tensor& tensor, int64_t row, int64_t head);
/// Rows of an arena [arena rows, head_dim] from `begin` on.
RowSource rows_of(const at::Tensor& arena, int64_t begin);

/// `tensor` itself where its last dimension is adjacent in memory, else a contiguous copy.
at::Tensor with_adjacent_channels(const at::Tensor& tensor);

/// Uninitialised fp32 scratch, 64-byte aligned.
class Scratch {
 public:
  explicit Scratch(int64_t floats);
  [[nodiscard]] float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> data_;
};

/// out [count, depth] = factor * rows, fp32.
void widen_rows(const RowSource& rows, int64_t count, int64_t depth, float factor, float* out);

/// Panels of the transposed rows: B[d, j] = rows[j, d], B [depth, count].
void pack_transposed(const RowSource& rows, int64_t count, int64_t depth, float* panels);

/// Panels of the rows as they are: B[j, d] = rows[j, d], B [count, depth].
void pack_rows(const RowSource& rows, int64_t count, int64_t depth, float* panels);

/// C [m, n] = A [m, depth] B, or C += A B; B [depth, n] in panels, n a multiple of 16; A and C
/// row-major with `a_stride`, `c_stride` floats from row to row.
void multiply_panels(const float* a,
                     int64_t a_stride,
                     int64_t m,
                     const float* panels,
                     int64_t depth,
                     int64_t n,
                     float* c,
                     int64_t c_stride,
                     bool accumulate);

/// scores [m, count] (row stride `stride`) = a [m, depth] . rows, without packing: for the one to
/// three queries for which packing would cost more than it saves. Columns up to the next multiple
/// of 16 are set to 0.
void multiply_few(const float* a,
                  int64_t m,
                  const RowSource& rows,
                  int64_t count,
                  int64_t depth,
                  float* scores,
                  int64_t stride);

/// out [m, out_stride] += weights [m, count] (row stride `stride`) . rows [count, depth].
void accumulate_few(const float* weights,
                    int64_t m,
                    int64_t stride,
                    const RowSource& rows,
                    int64_t count,
                    int64_t depth,
                    float* out,
                    int64_t out_stride);

/// Queries up to which the _few functions are the faster ones.
inline constexpr int64_t kFewQueries = 3;

}  // namespace kvscope
