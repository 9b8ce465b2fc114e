#include "core/hdf5/half.h"

#include <immintrin.h>

#include <cstddef>

namespace kvscope::hdf5 {
namespace {

constexpr size_t kLanes = 8;

}  // namespace

void floats_to_halves(std::span<const float> floats, std::span<uint16_t> halves) {
  size_t i = 0;
  for (; i + kLanes <= floats.size(); i += kLanes) {
    const __m128i packed = _mm256_cvtps_ph(_mm256_loadu_ps(&floats[i]), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&halves[i]), packed);
  }
  for (; i < floats.size(); ++i) halves[i] = _cvtss_sh(floats[i], _MM_FROUND_TO_NEAREST_INT);
}

void halves_to_floats(std::span<const uint16_t> halves, std::span<float> floats) {
  size_t i = 0;
  for (; i + kLanes <= halves.size(); i += kLanes) {
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&halves[i]));
    _mm256_storeu_ps(&floats[i], _mm256_cvtph_ps(packed));
  }
  for (; i < halves.size(); ++i) floats[i] = _cvtsh_ss(halves[i]);
}

}  // namespace kvscope::hdf5
