#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Ranks from 1 on, of the smallest first; equal values share the mean of their ranks. Infinities
/// are values; NaN is none: Error(kConfig).
std::vector<double> average_ranks(std::span<const double> values);

/// How two orders of the same things agree.
struct RankCorrelation {
  double rho = 0;        ///< -1 .. 1; NaN below two pairs, or where one side has a single value
  double p_value = 1;    ///< two-sided, by permutation; NaN where rho is
  int64_t pairs = 0;     ///< that it is over
  bool is_exact = true;  ///< every permutation was counted, rather than drawn
};

/// Spearman's rank correlation (1904) of the pairs in which neither value is NaN: Pearson's of
/// average ranks, so that ties count as they should. The p-value is the share of permutations of
/// one side whose |rho| is at least as large: of all of them up to 8 pairs, beyond that
/// (1 + found) / (1 + 9999) of 9999 drawn ones, the same ones in every run. Error(kConfig) for
/// sides of unlike length.
RankCorrelation rank_correlation(std::span<const double> x, std::span<const double> y);

/// The same within strata, which differ for reasons of their own: ranks are counted within each and
/// centred, and the p-value is of drawn permutations within each where there are several. `strata`
/// names the stratum of every pair; one with a single pair, or a single value on one side, says
/// nothing.
RankCorrelation rank_correlation_within(std::span<const double> x,
                                        std::span<const double> y,
                                        std::span<const int64_t> strata);

}  // namespace kvscope
