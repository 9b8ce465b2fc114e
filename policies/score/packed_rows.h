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

/// [rows, heads, tokens] bool on the step's device: true for the listed tokens of the current step
/// and for what lies beyond the tokens of a head.
at::Tensor current_tokens_mask(const LayerStep& layer_step, const std::vector<int64_t>& tokens);

}  // namespace kvscope
