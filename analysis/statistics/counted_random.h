#pragma once

#include <cstdint>

namespace kvscope {

/// The random word of a place: of equal arguments the same one, in whatever order they are asked
/// for (the finaliser of SplitMix64, Steele et al. 2014).
constexpr uint64_t counted_random(uint64_t seed, uint64_t place) {
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  const auto mixed = [](uint64_t word) {
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return word ^ word >> 31;
  };
  return mixed(mixed(seed + kGolden) + (place + 1) * kGolden);
}

/// A random word as a number below `limit`, each as probable as the next but for 2^-32 of it.
constexpr uint64_t below_limit(uint64_t word, uint32_t limit) {
  return (word >> 32) * limit >> 32;
}

}  // namespace kvscope
