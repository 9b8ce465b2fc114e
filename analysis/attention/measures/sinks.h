#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/observed_step.h"

namespace kvscope {

/// How many times the mass of a uniform map a sink receives (ACT, arXiv:2406.15765: alpha = 5).
inline constexpr int64_t kSinkFactor = 5;

/// Sinks among the tokens that a head's step sees, found from the attention itself: those that
/// received, on average over the queries that saw them so far, more than kSinkFactor / n, n the
/// tokens seen. The average is the importance score of Gu et al. (arXiv:2410.10781), the threshold
/// that of ACT. Indices into step.positions(), ascending. Needs received_mass.
std::vector<size_t> sinks_of(ObservedStep& step, int64_t image, int64_t head);

}  // namespace kvscope
