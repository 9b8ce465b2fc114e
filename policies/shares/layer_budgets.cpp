#include "policies/shares/layer_budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kLargest = 9007199254740992.0;  // 2^53: integers beyond are not exact in double

int64_t sum_of(std::span<const int64_t> values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

/// Adds `difference` in equal parts to the layers of `chosen`, the remainder to the first of them.
void spread(std::vector<int64_t>& budgets, const std::vector<size_t>& chosen, int64_t difference) {
  if (chosen.empty()) return;
  const int64_t amount = std::abs(difference);
  const int64_t sign = difference < 0 ? -1 : 1;
  const auto layers = std::ssize(chosen);
  for (int64_t i = 0; i < layers; ++i) {
    budgets[chosen[static_cast<size_t>(i)]] +=
        sign * (amount / layers + (i < amount % layers ? 1 : 0));
  }
}

template <typename Condition>
std::vector<size_t> layers_where(const std::vector<int64_t>& budgets, const Condition& holds) {
  std::vector<size_t> chosen;
  for (size_t layer = 0; layer < budgets.size(); ++layer) {
    if (holds(budgets[layer])) chosen.push_back(layer);
  }
  return chosen;
}

}  // namespace

std::vector<int64_t> adjusted_budgets(std::span<const double> budgets,
                                      int64_t total,
                                      int64_t limit) {
  std::vector<int64_t> adjusted;
  for (const double budget : budgets) {
    if (!(std::abs(budget) <= kLargest)) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("a layer budget of {} tokens; expected a finite number", budget));
    }
    adjusted.push_back(static_cast<int64_t>(budget));
  }
  const auto below_limit = [&](int64_t budget) { return budget < limit; };
  int64_t excess = 0;
  for (int64_t& budget : adjusted) {
    excess += std::max<int64_t>(budget - limit, 0);
    budget = std::min(budget, limit);
  }
  spread(adjusted, layers_where(adjusted, below_limit), excess);
  const int64_t missing = total - sum_of(adjusted);
  if (missing > 0) spread(adjusted, layers_where(adjusted, below_limit), missing);
  if (missing < 0) {
    spread(adjusted, layers_where(adjusted, [](int64_t budget) { return budget > 1; }), missing);
  }
  return adjusted;
}

std::vector<int64_t> preferred_budgets(std::span<const double> preferences,
                                       int64_t total,
                                       int64_t limit) {
  const double all = std::accumulate(preferences.begin(), preferences.end(), 0.0);
  const bool fits = std::ranges::all_of(preferences, [](double one) { return one >= 0; });
  if (!fits || !std::isfinite(all) || !(all > 0)) {
    throw Error(ErrorKind::kConfig,
                "layer preferences must be numbers of at least 0, one of them above it");
  }
  std::vector<double> budgets;
  for (const double preference : preferences) {
    budgets.push_back(preference / all * static_cast<double>(total));
  }
  return adjusted_budgets(budgets, total, limit);
}

std::vector<int64_t> fitted_budgets(std::vector<int64_t> budgets,
                                    int64_t total,
                                    int64_t least,
                                    int64_t limit) {
  limit = std::max(least, limit);
  for (int64_t& budget : budgets) budget = std::clamp(budget, least, limit);
  for (int64_t missing = total - sum_of(budgets); missing != 0; missing = total - sum_of(budgets)) {
    const std::vector<size_t> chosen = layers_where(
        budgets, [&](int64_t budget) { return missing > 0 ? budget < limit : budget > least; });
    if (chosen.empty()) break;
    spread(budgets, chosen, missing);
    for (int64_t& budget : budgets) budget = std::clamp(budget, least, limit);
  }
  return budgets;
}

}  // namespace kvscope
