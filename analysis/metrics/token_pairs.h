#pragma once

#include <vector>

#include "analysis/metrics/metric.h"
#include "core/models/token_agreement.h"

namespace kvscope {

/// token_agreement() of a pair, of every step; none where its tokens are not known. Throws
/// Error(kInput) for unlike numbers of tokens.
std::vector<StepAgreement> agreement_of(const MeasuredImage& pair);

}  // namespace kvscope
