#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/plan.h"

namespace kvscope {

/// Sampled values of one step, bits of codes or ids, and how many of them two makings of an image
/// do not share.
struct StepAgreement {
  int64_t values = 0;
  int64_t differing = 0;
};

/// Of every step of the geometry, in whose place a value was sampled. `a` and `b` are tokens of one
/// image as models pack them (packed_tokens.h); requires as many bytes of both.
std::vector<StepAgreement> token_agreement(const CacheGeometry& geometry,
                                           std::span<const uint8_t> a,
                                           std::span<const uint8_t> b);

}  // namespace kvscope
