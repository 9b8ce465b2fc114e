#include "analysis/metrics/token_pairs.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {

std::vector<StepAgreement> agreement_of(const MeasuredImage& pair) {
  const MeasuredTokens& tokens = pair.tokens;
  if (!tokens.known()) return {};
  if (tokens.image.size() != tokens.reference.size()) {
    throw Error(ErrorKind::kInput,
                fmt::format("an image of {} bytes of tokens beside a full-cache image of {}",
                            tokens.image.size(), tokens.reference.size()));
  }
  return token_agreement(*tokens.geometry, tokens.image, tokens.reference);
}

}  // namespace kvscope
