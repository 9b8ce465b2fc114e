#pragma once

#include <cstdint>
#include <span>

#include "analysis/statistics/interval.h"

namespace kvscope {

// Tests of pairs, given their differences x - y: of the hypothesis that these lie symmetrically
// about 0. Zeros and ties are judged on the doubles as they are. NaN where a test says nothing.

/// How probable it is, under the hypothesis, to find what was found or what is more extreme: on
/// either side, towards lower or towards higher differences.
struct PValues {
  double two_sided = 1;
  double less = 1;
  double greater = 1;
};

/// Student's t test of the mean difference, with its 95 % interval.
struct PairedTTest {
  double t = 0;
  double degrees = 0;  ///< of freedom, n - 1
  PValues p{};
  Interval mean_difference{};
};
PairedTTest paired_t_test(std::span<const double> differences);

/// Where the distribution of Wilcoxon's statistic comes from.
enum class WilcoxonMethod : uint8_t {
  /// Exact up to 50 pairs without ties or zeros; with such, all signs are enumerated up to 13
  /// pairs;
  /// the normal approximation elsewhere.
  kAuto,
  kExact,  ///< of ranks without ties, whatever there are
  kNormal  ///< the normal approximation, corrected for ties
};

/// What becomes of differences of 0.
enum class ZeroDifferences : uint8_t {
  kDropped,        ///< they are left out before ranks are given (Wilcoxon 1945)
  kRankedThenLeft  ///< they have ranks, which are left out (Pratt 1959)
};

struct WilcoxonOptions {
  WilcoxonMethod method = WilcoxonMethod::kAuto;
  ZeroDifferences zeros = ZeroDifferences::kDropped;
  bool continuity_correction = false;  ///< by half a rank, of the normal approximation
};

/// Wilcoxon's signed-rank test.
struct WilcoxonTest {
  double statistic = 0;  ///< the smaller of the two sums of ranks
  double rank_sum = 0;   ///< of the differences above 0
  PValues p{};
  double z = 0;  ///< of the normal approximation, two-sided: not above 0
};
/// Throws Error(kConfig) for more than 2000 pairs under kExact, which takes time by their cube.
WilcoxonTest wilcoxon_test(std::span<const double> differences,
                           const WilcoxonOptions& options = {});

/// The sign test, two-sided and exact: of differences that are not 0, how many are above. Of
/// differences of zeros and ones it is McNemar's exact test.
double sign_test(std::span<const double> differences);

/// A p-value by permutations, and of how many.
struct PermutationTest {
  double p_two_sided = 1;
  int64_t permutations = 0;
  bool is_exact = false;  ///< all of them, rather than drawn ones
};
/// Of the mean difference under random signs: the share of signs whose |mean| is at least as
/// large. All signs are counted up to 16 differences other than 0; beyond that
/// (1 + found) / (1 + draws) of `draws` drawn from `seed`, the same ones on every machine.
PermutationTest sign_flip_test(std::span<const double> differences, int64_t draws, uint64_t seed);

}  // namespace kvscope
