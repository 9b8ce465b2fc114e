#pragma once

#include <cstdint>

namespace kvscope::shapes {

/// SplitMix64 (Steele, Lea, Flood 2014) as a value: pass it by reference to whoever draws. Not a
/// <random> engine, whose distributions differ between standard libraries: a seed here means the
/// same picture on every machine.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    return mix(state_);
  }

  /// Uniform in 0..bound-1 (bound >= 1); multiply and shift, biased by less than bound / 2^32.
  uint64_t below(uint64_t bound) { return ((next() >> 32) * bound) >> 32; }

  /// Uniform in -reach..reach.
  int64_t jitter(int64_t reach) {
    return static_cast<int64_t>(below(static_cast<uint64_t>(2 * reach + 1))) - reach;
  }

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace kvscope::shapes
