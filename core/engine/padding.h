#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/engine/attend.h"

namespace kvscope {

/// Sets the columns that no query of the step saw, those of padding and of tokens that the
/// controller left out (LayerStep::attended), to `value` in a packed result of attention_rows(),
/// score_rows() (with `window` query rows) or column_sum() (`window` 1), which know of neither.
/// `packed` covers `slots` of layer_step's (row, head) pairs from `first_slot` on. Returns
/// `packed`.
at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t window,
                        double value,
                        int64_t first_slot,
                        int64_t slots);
/// The same of all slots.
at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t window,
                        double value);

}  // namespace kvscope
