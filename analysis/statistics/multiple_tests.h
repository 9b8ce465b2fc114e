#pragma once

#include <span>
#include <vector>

namespace kvscope {

// p-values of several hypotheses at once, adjusted so that each can be judged as if it were alone;
// in the order of `p`, at most 1. Each p must be within 0..1, else Error(kConfig).

// The probability that any true hypothesis is rejected stays below the level:
std::vector<double> bonferroni(std::span<const double> p);
std::vector<double> holm(std::span<const double> p);      ///< 1979, under any dependence
std::vector<double> hochberg(std::span<const double> p);  ///< 1988, under independence

// The expected share of true ones among the rejected stays below the level:
std::vector<double> benjamini_hochberg(std::span<const double> p);   ///< 1995
std::vector<double> benjamini_yekutieli(std::span<const double> p);  ///< 2001, any dependence

}  // namespace kvscope
