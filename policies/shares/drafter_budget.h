#pragma once

#include <cstdint>
#include <vector>

namespace kvscope {

/// Tokens of a drafter and of a refiner after one step.
struct DrafterBudget {
  int64_t drafter_tokens = 0;
  int64_t refiner_tokens = 0;
};

/// The rule behind ScaleKV's released budget files: drafters keep (almost) everything, refiners
/// share the remainder equally, and all layers together hold exactly `budget_tokens` * layers.
///   drafter_tokens = the largest integer <= max_drafter_tokens for which
///   refiner_tokens = (budget_tokens * layers - drafters * drafter_tokens) / (layers - drafters)
///   is an integer >= min_refiner_tokens.
/// Without drafters, or without refiners, every layer has budget_tokens.
/// Needs min_refiner_tokens <= budget_tokens <= max_drafter_tokens: budget_tokens for both is
/// then always a solution.
DrafterBudget drafter_budget(int64_t layers,
                             int64_t drafters,
                             int64_t budget_tokens,
                             int64_t max_drafter_tokens,
                             int64_t min_refiner_tokens);

/// What a refiner holds when k scales evicted before, as ScaleKV writes it (arXiv:2505.19602,
/// section 3.3): B_r(k) = B_r(0) - delta * k, with B_r(0) = `start` * `budget_tokens` and delta =
/// `decay` * `budget_tokens`, rounded to the nearest token; 0 where it would be negative. Published
/// for 650 tokens: 600 and 70.
int64_t linear_refiner_tokens(int64_t budget_tokens, double start, double decay, int64_t k);

/// Solves the paper's budget equation, N_d * B_d + N_r * B_r = budget_tokens * layers, which the
/// released budgets hold at every scale by itself, for the drafters: tokens of each of `drafters`
/// layers, which differ by at most one so that the sum is exact, the first ones higher. It does not
/// ask whether so many exist. Needs refiner_tokens <= budget_tokens.
std::vector<int64_t> drafters_of_equation(int64_t layers,
                                          int64_t drafters,
                                          int64_t budget_tokens,
                                          int64_t refiner_tokens);

/// Brings the layers' `wanted` tokens below what is `available` and gives what is left over, up to
/// the sum `total`, to layers below their maximum: those in `first` (ascending layers) before the
/// others, equally, the remainder to the lowest.
std::vector<int64_t> fit_to_available(const std::vector<int64_t>& wanted,
                                      const std::vector<int64_t>& available,
                                      const std::vector<int64_t>& first,
                                      int64_t total);

}  // namespace kvscope
