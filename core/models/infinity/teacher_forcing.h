#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/models/infinity/block.h"

namespace kvscope::infinity {

/// All scales at once, no cache: what training runs, and the oracle of cached generation. A query
/// of scale a sees the keys of scales <= a.
///
/// `inputs` [scales - 1]: next_input of scales 1.. [rows, tokens, token bits]; only the first
/// `scales` scales of the schedule are computed. Returns logits [rows, all tokens, 2 * token bits].
at::Tensor teacher_forcing(const TransformerConfig& config,
                           const TransformerWeights& weights,
                           const ImageGeometry& image,
                           const Conditioning& conditioning,
                           const std::vector<at::Tensor>& inputs,
                           int64_t scales);

}  // namespace kvscope::infinity
