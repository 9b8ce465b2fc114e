#include "policies/profiles/drafter_selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace kvscope {

LayerScaleValues selectivity_z_scores(std::span<const double> selectivity,
                                      int64_t layers,
                                      int64_t scales) {
  constexpr double kEpsilon = 1e-8;
  LayerScaleValues scores(selectivity.size(), std::numeric_limits<double>::quiet_NaN());
  const auto at = [&](int64_t layer, int64_t scale) {
    return static_cast<std::size_t>(layer * scales + scale);
  };
  for (int64_t scale = 0; scale < scales; ++scale) {
    double mean = 0;
    for (int64_t layer = 0; layer < layers; ++layer) mean += selectivity[at(layer, scale)];
    mean /= static_cast<double>(layers);
    double variance = 0;
    for (int64_t layer = 0; layer < layers; ++layer) {
      variance += std::pow(selectivity[at(layer, scale)] - mean, 2);
    }
    const double deviation = std::sqrt(variance / static_cast<double>(layers));
    for (int64_t layer = 0; layer < layers; ++layer) {
      scores[at(layer, scale)] = (selectivity[at(layer, scale)] - mean) / (deviation + kEpsilon);
    }
  }
  return scores;
}

std::vector<std::pair<int64_t, int64_t>> lowest_pairs(std::span<const double> z_scores,
                                                      int64_t layers,
                                                      int64_t scales,
                                                      int64_t count) {
  std::vector<std::tuple<double, int64_t, int64_t>> ranked;  // Z, scale, layer
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (int64_t scale = 0; scale < scales; ++scale) {
      const double z = z_scores[static_cast<std::size_t>(layer * scales + scale)];
      if (!std::isnan(z)) ranked.emplace_back(z, scale, layer);
    }
  }
  std::ranges::sort(ranked);
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (const auto& [z, scale, layer] : ranked) {
    if (std::ssize(pairs) >= count) break;
    pairs.emplace_back(layer, scale);
  }
  return pairs;
}

}  // namespace kvscope
