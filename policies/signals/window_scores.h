#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"
#include "policies/signals/pool.h"

namespace kvscope {

/// Which keys the softmax of a window's queries runs over.
enum class SoftmaxOver : uint8_t {
  kAll,   ///< every key a query sees (SnapKV arXiv:2404.14469)
  kPast,  ///< without the window's own tokens (R-KV arXiv:2505.24133)
};

/// The attention that an observation window pays to each token, on average over its queries:
///   a_j = mean over i of softmax_j(logits_i).
/// `logits` [..., queries, tokens] fp32, -infinity where a query does not see a key; `in_window`
/// [..., tokens] bool, true for the window's own tokens (and for columns that are no tokens).
/// The queries of all query heads of a group count alike: `logits` has them one after the other.
/// Queries that see nothing, which padding is, do not count. Returns [..., tokens]; under kPast
/// window tokens get 0.
at::Tensor mean_window_attention(const at::Tensor& logits,
                                 const at::Tensor& in_window,
                                 SoftmaxOver softmax);

/// Pools `scores` [..., tokens] among the tokens before the window; the window's own tokens lend
/// nothing to the others and keep their score. Needs them behind all others, as cached tokens are.
at::Tensor pool_past(const at::Tensor& scores,
                     const at::Tensor& in_window,
                     PoolKind kind,
                     int64_t kernel);

/// Positions of the last `window` tokens that a score of remembered queries looks from: of a
/// next-scale model the last ones of the step, of a next-token model earlier steps' included.
std::vector<int64_t> look_back_window(const StepInfo& step, int64_t window);

/// [rows, heads, tokens] bool on the step's device: true for tokens of [history | current step] at
/// or after `first_position` in the generation, and for what lies beyond the tokens of a head.
at::Tensor window_mask(const LayerStep& layer_step, int64_t first_position);

}  // namespace kvscope
