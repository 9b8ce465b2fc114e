#include "policies/signals/random_scores.h"

#include "core/base/split_mix.h"

namespace kvscope {

float random_score(const ScoreKey& key) {
  uint64_t hash = split_mix(split_mix(key.seed) + key.row);
  for (const int64_t field : {key.layer, key.head, key.position, key.draw}) {
    hash = split_mix(hash + static_cast<uint64_t>(field));
  }
  return static_cast<float>(hash >> 40) * 0x1p-24F;
}

}  // namespace kvscope
