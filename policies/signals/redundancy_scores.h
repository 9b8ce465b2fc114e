#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace kvscope {

/// R-KV (Cai et al., arXiv:2505.24133): what attention finds important and no other key repeats,
///   score_j = lambda * A_j - (1 - lambda) * S_j.

/// Which similar key of a row does not count as a repetition, so that one of a group of like keys
/// may stay. Indices are those of the keys' order; a row without a similar key leaves out key 0.
enum class RetainSimilar : uint8_t {
  kLast,          ///< the last one (the published default; also `last_percent`)
  kFirst,         ///< the first index of the row that is not similar counts as 0, so always key 0
  kFirstPercent,  ///< the k-th smallest of the row, others counting as 0, k = tokens * ratio
};

struct SimilarityRule {
  double threshold = 0.5;  ///< cosine above which keys are similar
  RetainSimilar retain = RetainSimilar::kLast;
  double retain_ratio = 0.1;  ///< of kFirstPercent
};

/// S of every head: softmax over keys of the mean over rows of the cosine matrix of its `keys`
/// [..., tokens, head_dim], its diagonal 0 and in each row the entry that `rule` names 0. Returns
/// [..., tokens] fp32. Of a matrix 256 rows are held at once.
at::Tensor key_repetition(const at::Tensor& keys, const SimilarityRule& rule);

/// lambda * attention - (1 - lambda) * repetition.
at::Tensor redundancy_scores(const at::Tensor& attention,
                             const at::Tensor& repetition,
                             double lambda);

/// The order in which an eviction leaves the tokens before the window. Pooling and RetainSimilar
/// look at neighbours and indices, so later evictions depend on it.
enum class PoolOrder : uint8_t {
  kPosition,  ///< ascending, as KvCache stores them
  kScore,     ///< descending score, as R-KV's and CAKE's code leaves them
};

/// Indices that an eviction to `count` tokens leaves of one (row, head), in the order of the cache
/// after it: the best `count` - `window` of `scores` [tokens before the window] fp32, then the
/// `window` tokens behind them. Of equal scores the lower index stays and comes first. Needs window
/// <= count <= tokens.
std::vector<int64_t> ordered_selection(const at::Tensor& scores,
                                       int64_t count,
                                       int64_t window,
                                       PoolOrder order);

}  // namespace kvscope
