#pragma once

#include <cstdint>
#include <utility>

#include "core/base/split_mix.h"

namespace kvscope::shapes {

/// SplitMix64 (Steele, Lea, Flood 2014) as a value: pass it by reference to whoever draws. Not a
/// <random> engine, whose distributions differ between standard libraries: a seed here means the
/// same image on every machine.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t next() { return split_mix(std::exchange(state_, state_ + kSplitMixIncrement)); }

  /// Uniform in 0..bound-1 (bound >= 1); multiply and shift, biased by less than bound / 2^32.
  uint64_t below(uint64_t bound) { return ((next() >> 32) * bound) >> 32; }

  /// Uniform in -reach..reach.
  int64_t jitter(int64_t reach) {
    return static_cast<int64_t>(below(static_cast<uint64_t>(2 * reach + 1))) - reach;
  }

 private:
  uint64_t state_;
};

}  // namespace kvscope::shapes
