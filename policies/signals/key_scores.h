#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace kvscope {

/// KNorm (Devoto et al., arXiv:2406.11430): -|k|, as keys of small norm draw attention. `keys`
/// [..., tokens, head_dim] -> [..., tokens]. A rotation does not change the norm.
at::Tensor key_norm_scores(const at::Tensor& keys);

/// KeyDiff (Park et al., arXiv:2504.15364): -cos(k, anchor), anchor the mean of k / |k| over the
/// visible tokens: keys that differ from the others stay. `keys` [..., tokens, head_dim], `visible`
/// [..., tokens] bool, undefined: all -> [..., tokens]. A zero vector has cosine 0.
at::Tensor key_difference_scores(const at::Tensor& keys, const at::Tensor& visible = {});

/// KeyDiff block by block, as arXiv:2504.15364 does for long prompts: the first `count` tokens of
/// `keys` [lines, tokens, head_dim], then for every further block the best `count` of what stayed
/// and the block together. Ascending, a list a line; everything where `count` reaches the tokens.
/// EvictionTiming during a generation do the same, a block being what came between two evictions.
std::vector<std::vector<int64_t>> block_key_difference_kept(const at::Tensor& keys,
                                                            int64_t count,
                                                            int64_t block);

}  // namespace kvscope
