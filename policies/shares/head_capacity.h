#pragma once

#include <cstdint>
#include <vector>

namespace kvscope {

/// HeadKV (Fu et al., arXiv:2410.19258) as KVCache-Factory computes it: tokens of each (layer,
/// head) before the window, which comes on top,
///   n_lh = round(importance_lh / sum(importance) * (C // beta) * layers * heads + C - C // beta)
/// with // the floor of a division of doubles and halves rounded to even; `mean` = C is the mean of
/// all n. beta near 1 shares nearly everything by importance. `importance` [layers][heads] >= 0, of
/// which one is not 0, and beta >= 1.
std::vector<std::vector<int64_t>> head_capacities(
    const std::vector<std::vector<double>>& importance, double mean, double beta);

/// Floor of numerator / denominator as Python's // rounds it: exact where the quotient of the
/// doubles would round up to an integer. Needs denominator > 0.
double floor_division(double numerator, double denominator);

}  // namespace kvscope
