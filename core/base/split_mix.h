#pragma once

#include <cstdint>

namespace kvscope {

/// What SplitMix64 (Steele, Lea, Flood 2014) adds to its state for every number: odd, near 2^64
/// divided by the golden ratio.
constexpr uint64_t kSplitMixIncrement = 0x9E3779B97F4A7C15U;

/// Its finaliser: neighbouring values give unrelated ones, but 0 gives 0.
constexpr uint64_t split_mix_finaliser(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

/// The number that follows the state `value`.
constexpr uint64_t split_mix(uint64_t value) {
  return split_mix_finaliser(value + kSplitMixIncrement);
}

}  // namespace kvscope
