#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// CAKE (Qin et al., arXiv:2503.12491): layers share the tokens of the model by how much each
/// prefers a large cache. Budgets here count the tokens before the observation window.

/// antgroup/cakekv, adjust_budgets: the budgets truncated to integers; what exceeds `limit` goes in
/// equal parts to the layers below it, the first ones taking the remainder; then once more the same
/// with the difference from `total`, to layers below `limit`, or off layers above 1. Once only, as
/// published: a result may be negative or above the limit, or miss the total where no layer could
/// give or take. Throws Error(kConfig) where a budget is not finite or beyond 2^53.
std::vector<int64_t> adjusted_budgets(std::span<const double> budgets,
                                      int64_t total,
                                      int64_t limit);

/// b_l = pref_l / sum(pref) * total, adjusted. Throws Error(kConfig) where a preference is negative
/// or not finite, or all are 0.
std::vector<int64_t> preferred_budgets(std::span<const double> preferences,
                                       int64_t total,
                                       int64_t limit);

/// Makes budgets meet their bounds and their sum: each within least..limit, together `total` or as
/// near as the bounds allow. The difference is spread in equal parts over the layers below their
/// bound, the first ones taking the remainder, until it is gone.
std::vector<int64_t> fitted_budgets(std::vector<int64_t> budgets,
                                    int64_t total,
                                    int64_t least,
                                    int64_t limit);

}  // namespace kvscope
