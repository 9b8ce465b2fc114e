#include "policies/selection.h"

#include <algorithm>

namespace kvscope {

std::vector<int64_t> keep_best(std::span<const float> scores,
                               std::span<const uint8_t> is_protected,
                               int64_t count) {
  std::vector<int64_t> kept;
  std::vector<int64_t> candidates;
  kept.reserve(static_cast<std::size_t>(count));
  candidates.reserve(scores.size());
  for (std::size_t token = 0; token < scores.size(); ++token) {
    (is_protected[token] != 0 ? kept : candidates).push_back(static_cast<int64_t>(token));
  }
  const auto free = count - static_cast<int64_t>(kept.size());
  // A total order (score, then index), so the set does not depend on the algorithm that finds it.
  std::nth_element(candidates.begin(), candidates.begin() + free, candidates.end(),
                   [&](int64_t left, int64_t right) {
                     return scores[left] != scores[right] ? scores[left] > scores[right]
                                                          : left < right;
                   });
  kept.insert(kept.end(), candidates.begin(), candidates.begin() + free);
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace kvscope
