#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// Sums over the query axis of packed rows as attention_rows() and score_rows() return them for
/// `window` queries of `layer_step`: [rows, heads, tokens] fp32, tokens of the longest head;
/// `fill` where a head holds fewer.
at::Tensor sum_over_window(const LayerStep& layer_step,
                           const at::Tensor& packed,
                           int64_t window,
                           double fill);

/// The same rows unpacked: [rows, heads, window, tokens], tokens of the longest head; `fill` where
/// a head holds fewer. A view of `packed` where all heads hold the same.
at::Tensor unpacked_rows(const LayerStep& layer_step,
                         const at::Tensor& packed,
                         int64_t window,
                         double fill);

/// [rows, heads, tokens] bool on the step's device: true for the tokens at these `positions` in the
/// generation (ascending), wherever in [history | current step] a head holds them.
at::Tensor positions_mask(const LayerStep& layer_step, const std::vector<int64_t>& positions);

/// [rows, heads, tokens] bool on the step's device: true for padding and for what lies beyond the
/// tokens of a head.
at::Tensor absent_mask(const LayerStep& layer_step);

}  // namespace kvscope
