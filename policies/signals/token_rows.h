#pragma once

#include <ATen/core/Tensor.h>

#include "core/engine/attend.h"

namespace kvscope {

/// What a layer holds and adds, [history | current step] of every (row, head) side by side, for
/// scores that look at keys and values themselves: [rows, heads, tokens, head_dim] fp32, tokens of
/// the longest head; zeros beyond the tokens of a shorter one.
at::Tensor key_rows(const LayerStep& layer_step);
at::Tensor value_rows(const LayerStep& layer_step);

/// [rows, heads, tokens] fp32 on the step's device: positions in the generation, padding counted;
/// zeros beyond the tokens of a head.
at::Tensor token_positions(const LayerStep& layer_step);

/// [rows, heads, tokens] bool on the step's device: true for tokens that somebody sees, false for
/// padding and beyond the tokens of a head.
at::Tensor visible_tokens(const LayerStep& layer_step);

/// [rows, heads, tokens] bool on the step's device: true for tokens at positions below `count`,
/// padding not counted.
at::Tensor first_tokens(const LayerStep& layer_step, int64_t count);

}  // namespace kvscope
