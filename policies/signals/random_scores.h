#pragma once

#include <cstdint>

namespace kvscope {

/// What a random score depends on, and nothing else.
struct ScoreKey {
  uint64_t seed = 0;
  uint64_t row = 0;  ///< LayerStep::row_seed; 0: numbers that all rows share
  int64_t layer = 0;
  int64_t head = 0;
  int64_t position = 0;  ///< of the token in the generation, padding not counted
  int64_t draw = 0;      ///< a new draw has new numbers
};

/// Uniform in [0, 1), a multiple of 2^-24 so that it is exact in fp32: a hash by the finaliser of
/// SplitMix64 (Steele, Lea, Flood 2014) over the fields one after the other. No state: the number
/// does not depend on batch, order, shard or resume.
float random_score(const ScoreKey& key);

}  // namespace kvscope
