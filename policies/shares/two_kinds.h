#pragma once

#include <cstdint>

#include "core/engine/plan.h"
#include "policies/slots.h"

namespace kvscope {

/// Tokens of every head where heads of kind 1 need little and those of kind 0 share the rest:
/// `narrow_tokens` each for kind 1, but no more than the budget, and together exactly
/// budget_tokens * layers * heads. What no head of kind 0 could use, as none ever holds more than
/// `max_tokens`, goes back to kind 1. Remainders go to the first heads of a kind; with heads of
/// one kind alone every head has the budget. Counts do not depend on how far the generation is.
LayerHeadTokens share_among_kinds(const HeadTypes& types,
                                  int64_t budget_tokens,
                                  int64_t narrow_tokens,
                                  int64_t max_tokens);

}  // namespace kvscope
