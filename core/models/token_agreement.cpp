#include "core/models/token_agreement.h"

#include <algorithm>

namespace kvscope {

std::vector<StepAgreement> token_agreement(const CacheGeometry& geometry,
                                           std::span<const uint8_t> a,
                                           std::span<const uint8_t> b) {
  std::vector<StepAgreement> steps(geometry.steps.size());
  int64_t tokens = 0;
  int64_t first = 0;  // 1 behind a prefill, which samples the token that the next step feeds
  for (const StepInfo& step : geometry.steps) {
    if (step.kind == StepKind::kPrefill) {
      first = 1;
    } else {
      tokens += step.queries();
    }
  }
  const auto bytes = std::ssize(a);
  const bool are_bits = bytes != 2 * tokens;
  const int64_t per_token = are_bits ? bytes * 8 / std::max<int64_t>(1, tokens) : 1;
  const auto value = [&](std::span<const uint8_t> packed, int64_t i) {
    const auto at = static_cast<size_t>(i);
    return are_bits ? packed[at / 8] >> (7 - at % 8) & 1 : packed[2 * at] | packed[2 * at + 1] << 8;
  };
  int64_t i = 0;
  for (const StepInfo& step : geometry.steps) {
    if (step.kind == StepKind::kPrefill) continue;
    StepAgreement& sampled = steps[static_cast<size_t>(step.index - first)];
    for (const int64_t end = i + step.queries() * per_token; i < end; ++i) {
      sampled.values += 1;
      sampled.differing += value(a, i) == value(b, i) ? 0 : 1;
    }
  }
  return steps;
}

}  // namespace kvscope
