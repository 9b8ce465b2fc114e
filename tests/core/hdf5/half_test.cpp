#include "core/hdf5/half.h"

#include <c10/util/Half.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace kvscope::hdf5 {
namespace {

TEST(Half, EveryHalfSurvivesTheRoundTrip) {
  std::vector<uint16_t> halves;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const bool is_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0;
    if (!is_nan) halves.push_back(static_cast<uint16_t>(bits));
  }
  std::vector<float> floats(halves.size());
  halves_to_floats(halves, floats);
  std::vector<uint16_t> back(halves.size());
  floats_to_halves(floats, back);
  EXPECT_EQ(back, halves);
}

TEST(Half, RoundsAsTheScalarDefinitionDoesAtOddLengths) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> floats{0.1F, -0.1F, 65504, 65520, 1e9F, -infinity, 5.96e-8F, 2.98e-8F, 0};
  uint32_t state = 7;
  while (floats.size() < 1003) {
    state = state * 1664525 + 1013904223;
    const int exponent = static_cast<int>(state % 40) - 26;
    floats.push_back(std::ldexp(static_cast<float>(state) / 4e9F - 0.5F, exponent));
  }
  std::vector<uint16_t> halves(floats.size());
  floats_to_halves(floats, halves);
  for (size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(halves[i], c10::Half(floats[i]).x) << floats[i];
  }
}

}  // namespace
}  // namespace kvscope::hdf5
