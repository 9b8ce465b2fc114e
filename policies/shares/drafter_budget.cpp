#include "policies/shares/drafter_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kvscope {
namespace {

/// Hands `left` tokens to `layers` below their maximum, equally; returns what none could take.
int64_t hand_out(int64_t left,
                 const std::vector<int64_t>& layers,
                 const std::vector<int64_t>& available,
                 std::vector<int64_t>& tokens) {
  std::vector<int64_t> open;
  for (const int64_t layer : layers) {
    if (tokens[layer] < available[layer]) {
      open.push_back(layer);
    }
  }
  while (left > 0 && !open.empty()) {
    const int64_t share = left / static_cast<int64_t>(open.size());
    int64_t remainder = left % static_cast<int64_t>(open.size());
    for (const int64_t layer : open) {
      const int64_t offered = share + (remainder-- > 0 ? 1 : 0);
      const int64_t taken = std::min(offered, available[layer] - tokens[layer]);
      tokens[layer] += taken;
      left -= taken;
    }
    std::erase_if(open, [&](int64_t layer) { return tokens[layer] >= available[layer]; });
  }
  return left;
}

}  // namespace

DrafterBudget drafter_budget(int64_t layers,
                             int64_t drafters,
                             int64_t budget_tokens,
                             int64_t max_drafter_tokens,
                             int64_t min_refiner_tokens) {
  const int64_t refiners = layers - drafters;
  if (drafters == 0 || refiners == 0) {
    return {.drafter_tokens = budget_tokens, .refiner_tokens = budget_tokens};
  }
  const int64_t total = budget_tokens * layers;
  for (int64_t tokens = max_drafter_tokens; tokens > budget_tokens; --tokens) {
    const int64_t remainder = total - drafters * tokens;
    if (remainder >= min_refiner_tokens * refiners && remainder % refiners == 0) {
      return {.drafter_tokens = tokens, .refiner_tokens = remainder / refiners};
    }
  }
  return {.drafter_tokens = budget_tokens, .refiner_tokens = budget_tokens};
}

int64_t linear_refiner_tokens(int64_t budget_tokens, double start, double decay, int64_t k) {
  const double share = start - decay * static_cast<double>(k);
  return std::max<int64_t>(0, std::llround(static_cast<double>(budget_tokens) * share));
}

std::vector<int64_t> drafters_of_equation(int64_t layers,
                                          int64_t drafters,
                                          int64_t budget_tokens,
                                          int64_t refiner_tokens) {
  if (drafters == 0) return {};
  const int64_t left = budget_tokens * layers - refiner_tokens * (layers - drafters);
  std::vector<int64_t> tokens(static_cast<std::size_t>(drafters), left / drafters);
  std::fill_n(tokens.begin(), left % drafters, left / drafters + 1);
  return tokens;
}

std::vector<int64_t> fit_to_available(const std::vector<int64_t>& wanted,
                                      const std::vector<int64_t>& available,
                                      const std::vector<int64_t>& first,
                                      int64_t total) {
  std::vector<int64_t> tokens(wanted.size());
  for (std::size_t layer = 0; layer < wanted.size(); ++layer) {
    tokens[layer] = std::min(wanted[layer], available[layer]);
  }
  std::vector<int64_t> all(wanted.size());
  std::iota(all.begin(), all.end(), 0);
  int64_t left = total - std::accumulate(tokens.begin(), tokens.end(), int64_t{0});
  left = hand_out(left, first, available, tokens);
  hand_out(left, all, available, tokens);
  return tokens;
}

}  // namespace kvscope
