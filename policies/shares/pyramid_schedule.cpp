#include "policies/shares/pyramid_schedule.h"

#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

/// Nearest integer, halves to even.
int64_t rounded(double value) {
  return static_cast<int64_t>(std::nearbyint(value));
}

}  // namespace

std::vector<int64_t> pyramid_integers(
    int64_t budget, int64_t window, int64_t layers, int64_t tokens, int64_t beta) {
  const auto size = static_cast<std::size_t>(layers);
  const int64_t mean = budget - window;
  if (tokens < 2 * mean || tokens < budget || layers == 1) {
    return std::vector<int64_t>(size, std::min(budget, tokens));
  }
  int64_t lowest = mean / beta;
  int64_t highest = 2 * mean - lowest;
  if (highest >= tokens - window) {
    highest = tokens - window;
    lowest = 2 * mean - highest;
  }
  const int64_t slope = (highest - lowest) / (layers - 1);
  std::vector<int64_t> kept;
  for (int64_t layer = 0; layer < layers; ++layer) {
    kept.push_back(highest - layer * slope + window);
  }
  return kept;
}

std::vector<int64_t> pyramid_doubles(
    double share, int64_t window, int64_t layers, int64_t tokens, double beta) {
  const auto size = static_cast<double>(tokens);
  const auto recent = static_cast<double>(window);
  const double mean = (recent + share) - recent;  // as kvpress computes it, rounding included
  double lowest = mean / beta;
  double highest = mean * 2 - lowest;
  if (highest >= size - recent) {
    highest = size - recent;
    lowest = mean * 2 - highest;
  }
  const bool applies = size >= highest && highest >= lowest && lowest >= recent && layers > 1;
  std::vector<int64_t> kept(static_cast<std::size_t>(layers), rounded(share));
  if (!applies) return kept;
  const double slope = (highest - lowest) / static_cast<double>(layers - 1);
  for (std::size_t layer = 0; layer < kept.size(); ++layer) {
    kept[layer] = rounded(highest - static_cast<double>(layer) * slope);
  }
  return kept;
}

}  // namespace kvscope
