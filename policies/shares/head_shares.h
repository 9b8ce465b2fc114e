#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Ada-KV (Feng et al., arXiv:2407.11550): the heads of a layer share its tokens by what the best
/// tokens of all heads together are worth.

/// How many of a layer's best `total` scores fall to each head.
///   omega_h = sum of the `base` highest of head h / sum of all of head h    (weights, 1 without)
///   joint_h = |{ j : omega_h s_hj among the `total` highest of all heads }|
/// with `base` at least 1. `scores` [heads][tokens] of the tokens that may be dropped; the best
/// `safe` tokens of each head count as the highest of all. Equal values: the better ranked in its
/// head first, then the lower head. Scores that are not finite come last. `total` at most the
/// number of tokens of all heads.
std::vector<int64_t> joint_counts(std::span<const std::vector<float>> scores,
                                  int64_t total,
                                  int64_t base,
                                  bool weighted,
                                  int64_t safe = 0);

/// Ada-KV's guarantee as published (KVCache-Factory, AdaKVCluster): a part `floor` of the `base`
/// tokens of a head is its own, the rest follows the joint counts,
///   n_h = round(joint_h (1 - floor) + int(base floor)),
/// halves to even, computed in fp32. The sum may miss the sum of `joint` by a few.
std::vector<int64_t> floored_counts(std::span<const int64_t> joint, int64_t base, double floor);

/// Makes the counts sum to `total`: what is missing goes token by token to the head whose next
/// token is worth most, what is too much is taken where the last token is worth least, from a head
/// above `floor` tokens while there is one. `scores` and `weighted` as for joint_counts(); counts
/// stay within 0 .. tokens of the head.
std::vector<int64_t> fitted_counts(std::span<const std::vector<float>> scores,
                                   std::vector<int64_t> counts,
                                   int64_t total,
                                   int64_t base,
                                   bool weighted,
                                   int64_t floor);

}  // namespace kvscope
