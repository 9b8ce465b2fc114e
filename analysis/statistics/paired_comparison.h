#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/statistics/interval.h"

namespace kvscope {

/// How two sides of pairs are compared.
struct ComparisonOptions {
  /// "auto": "mcnemar" where both sides are zeros and ones, "permutation" elsewhere; or
  /// "permutation" (signs of the mean difference), "wilcoxon" (signed ranks), "t", "sign".
  std::string test = "auto";
  std::string interval = "bca";  ///< "bca", "percentile" (bootstrap), or "t"
  int64_t resamples = 9999;      ///< of the bootstrap, and drawn permutations
  uint64_t seed = 0;             ///< of both
};

/// By how much the first side of pairs differs from the second.
struct PairedComparison {
  int64_t pairs = 0;
  Interval difference{};          ///< the mean difference with its 95 % interval
  double effect_size = 0;         ///< Cohen's d_z
  double p_value = 0;             ///< two-sided, of no difference; NaN where the test says nothing
  std::string test{};             ///< which one it was: "mcnemar", "permutation", ...
  double standard_deviation = 0;  ///< of the differences
};

/// Names that ComparisonOptions takes.
std::vector<std::string> paired_test_names();
std::vector<std::string> paired_interval_names();

/// Error(kConfig) with the nearest for an unknown test or interval, and for sides of unlike length.
/// The same arguments give the same result on every machine.
PairedComparison compare_pairs(std::span<const double> x,
                               std::span<const double> y,
                               const ComparisonOptions& options = {});

/// "McNemar's exact test": what to call a test in a sentence.
std::string paired_test_title(std::string_view test);

}  // namespace kvscope
