#pragma once

#include <ATen/core/Tensor.h>

#include "core/engine/attend.h"

namespace kvscope {

/// The same importance for all heads of a row: of each token the sum of what its heads give it,
/// divided by the number of heads; a head that has dropped the token gives it 0. `packed` [columns]
/// fp32, one line per slot as column_offsets() lays them out; returns [rows, heads, tokens] fp32,
/// tokens of the longest head, 0 beyond a head's tokens.
at::Tensor mean_over_heads(const LayerStep& layer_step, const at::Tensor& packed);

}  // namespace kvscope
