#include "analysis/statistics/paired_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "analysis/statistics/counted_random.h"
#include "analysis/statistics/distributions.h"
#include "analysis/statistics/sample.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMostFlippedExactly = 16;

std::vector<double> without_zeros(std::span<const double> differences) {
  std::vector<double> others;
  std::ranges::copy_if(differences, std::back_inserter(others),
                       [](double value) { return value != 0; });
  return others;
}

double sum_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Share of all choices of signs of `values` whose sum fulfils `counts`. Neighbours in Gray code
/// differ in one sign, so a choice costs one addition.
template <typename Counts>
double share_of_signs(std::vector<double> values, Counts counts) {
  double sum = sum_of(values);
  uint64_t found = counts(sum) ? 1 : 0;
  const uint64_t all = uint64_t{1} << values.size();
  for (uint64_t choice = 1; choice < all; ++choice) {
    double& flipped = values[static_cast<size_t>(std::countr_zero(choice))];
    sum -= 2 * flipped;
    flipped = -flipped;
    found += counts(sum) ? 1 : 0;
  }
  return static_cast<double>(found) / static_cast<double>(all);
}

}  // namespace

PairedTTest paired_t_test(std::span<const double> differences) {
  const auto count = static_cast<double>(differences.size());
  PairedTTest test{.degrees = std::max(count - 1, 0.0)};
  test.mean_difference = mean_interval(differences);
  const double error = standard_deviation(differences) / std::sqrt(count);
  test.t = mean_of(differences) / error;
  if (std::isnan(test.t)) {
    test.p = {kNan, kNan, kNan};
    return test;
  }
  test.p = {.two_sided = 2 * student_t_upper_tail(std::abs(test.t), test.degrees),
            .less = student_t_upper_tail(-test.t, test.degrees),
            .greater = student_t_upper_tail(test.t, test.degrees)};
  return test;
}

double sign_test(std::span<const double> differences) {
  const auto above = std::ranges::count_if(differences, [](double value) { return value > 0; });
  const auto below = std::ranges::count_if(differences, [](double value) { return value < 0; });
  if (above + below == 0) return kNan;
  const auto count = static_cast<double>(above + below);
  double tail = 0;  // P(B <= the smaller), B ~ binomial(n, 1/2)
  for (int64_t hits = 0; hits <= std::min(above, below); ++hits) {
    const auto found = static_cast<double>(hits);
    tail += std::exp(std::lgamma(count + 1) - std::lgamma(found + 1) -
                     std::lgamma(count - found + 1) - count * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

PermutationTest sign_flip_test(std::span<const double> differences, int64_t draws, uint64_t seed) {
  const std::vector<double> values = without_zeros(differences);
  if (values.empty()) return {.p_two_sided = differences.empty() ? kNan : 1.0, .is_exact = true};
  double magnitude = 0;
  for (const double value : values) magnitude += std::abs(value);
  // Sums that equal the found one but for rounding are as large.
  const double found_sum = std::abs(sum_of(values)) - 1e-12 * magnitude;
  const auto is_as_large = [&](double sum) { return std::abs(sum) >= found_sum; };
  if (std::ssize(values) <= kMostFlippedExactly) {
    return {.p_two_sided = share_of_signs(values, is_as_large),
            .permutations = int64_t{1} << values.size(),
            .is_exact = true};
  }
  constexpr size_t kBits = 64;
  const size_t words = (values.size() + kBits - 1) / kBits;
  int64_t found = 0;
  for (int64_t draw = 0; draw < draws; ++draw) {
    double sum = 0;
    for (size_t word = 0; word < words; ++word) {
      uint64_t signs = counted_random(seed, static_cast<uint64_t>(draw) * words + word);
      const size_t end = std::min(values.size(), (word + 1) * kBits);
      for (size_t i = word * kBits; i < end; ++i, signs >>= 1) {
        sum += (signs & 1) != 0 ? values[i] : -values[i];
      }
    }
    found += is_as_large(sum) ? 1 : 0;
  }
  return {.p_two_sided = static_cast<double>(found + 1) / static_cast<double>(draws + 1),
          .permutations = draws};
}

}  // namespace kvscope
