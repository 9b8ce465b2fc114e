#include "analysis/statistics/multiple_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// Adjusts along rising p: `factor` of its rank, from 1, is what a p-value is multiplied by.
/// Stepping down, none is smaller than one before it; stepping up, none larger than one behind it.
enum class Stepping { kDown, kUp };

std::vector<double> adjusted(std::span<const double> p,
                             Stepping stepping,
                             const std::function<double(double rank)>& factor) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (const double value : p) {
    if (value >= 0 && value <= 1) continue;
    throw Error(ErrorKind::kConfig, fmt::format("a p-value of {}; expected 0 to 1", value));
  }
  std::ranges::stable_sort(order, {}, [&](size_t i) { return p[i]; });
  std::vector<double> result(p.size());
  double bound = stepping == Stepping::kDown ? 0.0 : 1.0;
  for (size_t step = 0; step < order.size(); ++step) {
    const size_t rank = stepping == Stepping::kDown ? step : order.size() - 1 - step;
    const double value = std::min(1.0, p[order[rank]] * factor(static_cast<double>(rank + 1)));
    bound = stepping == Stepping::kDown ? std::max(bound, value) : std::min(bound, value);
    result[order[rank]] = bound;
  }
  return result;
}

}  // namespace

std::vector<double> bonferroni(std::span<const double> p) {
  const auto count = static_cast<double>(p.size());
  return adjusted(p, Stepping::kDown, [=](double) { return count; });
}

std::vector<double> holm(std::span<const double> p) {
  const auto count = static_cast<double>(p.size());
  return adjusted(p, Stepping::kDown, [=](double rank) { return count + 1 - rank; });
}

std::vector<double> hochberg(std::span<const double> p) {
  const auto count = static_cast<double>(p.size());
  return adjusted(p, Stepping::kUp, [=](double rank) { return count + 1 - rank; });
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const auto count = static_cast<double>(p.size());
  return adjusted(p, Stepping::kUp, [=](double rank) { return count / rank; });
}

std::vector<double> benjamini_yekutieli(std::span<const double> p) {
  const auto count = static_cast<double>(p.size());
  double harmonic = 0;
  for (size_t i = 1; i <= p.size(); ++i) harmonic += 1 / static_cast<double>(i);
  return adjusted(p, Stepping::kUp, [=](double rank) { return count * harmonic / rank; });
}

}  // namespace kvscope
