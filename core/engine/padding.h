#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/engine/attend.h"

namespace kvscope {

/// Sets the columns that no query of the step saw, those of padding and of tokens that the
/// controller left out (LayerStep::attended), to `value` in a packed result of attention_rows(),
/// score_rows() (whose slots have `lines` lines) or column_sum() (1 line), which know of neither.
/// `packed` covers `slots` of layer_step's (row, head) pairs from `first_slot` on. Returns
/// `packed`.
at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t lines,
                        double value,
                        int64_t first_slot,
                        int64_t slots);
/// The same of all slots.
at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t lines,
                        double value);

}  // namespace kvscope
