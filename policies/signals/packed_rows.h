#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// Sums over the `lines` lines that a slot has in a packed result, such as attention_rows() and
/// score_rows() return for group * queries of them: [rows, heads, tokens] fp32, tokens of the
/// longest head; `fill` where a head holds fewer.
at::Tensor sum_over_lines(const LayerStep& layer_step,
                          const at::Tensor& packed,
                          int64_t lines,
                          double fill);

/// The same lines unpacked: [rows, heads, lines, tokens], tokens of the longest head; `fill` where
/// a head holds fewer. A view of `packed` where all heads hold the same.
at::Tensor unpacked_rows(const LayerStep& layer_step,
                         const at::Tensor& packed,
                         int64_t lines,
                         double fill);

/// One line per slot out of attention_rows() of one query: the mean over the query heads of its
/// group, packed alike. `packed` itself where each head has one.
at::Tensor mean_over_group(const LayerStep& layer_step, const at::Tensor& packed);

/// [rows, heads, group * n, ...] -> [rows, heads, group, n, ...]: the lines of each query head by
/// themselves.
at::Tensor by_query_head(const LayerStep& layer_step, const at::Tensor& lines);

/// [rows, heads, tokens] bool on the step's device: true for the tokens at these `positions` in the
/// generation (ascending), wherever in [history | current step] a head holds them.
at::Tensor positions_mask(const LayerStep& layer_step, const std::vector<int64_t>& positions);

/// [rows, heads, tokens] bool on the step's device: true for padding and for what lies beyond the
/// tokens of a head.
at::Tensor absent_mask(const LayerStep& layer_step);

}  // namespace kvscope
