#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/config/value.h"
#include "core/engine/step.h"

namespace kvscope {

/// How much of its past a generation may keep. 100 % is what a full cache holds going into the last
/// step (full_cache_tokens), the convention of the papers' memory tables.
struct Budget {
  double ratio = 1.0;             ///< share of the full cache, in (0, 1]
  std::optional<int64_t> tokens;  ///< tokens a head; given, it replaces the ratio

  static Budget of_ratio(double share) { return {.ratio = share, .tokens = std::nullopt}; }
  static Budget of_tokens(int64_t count) { return {.ratio = 1.0, .tokens = count}; }
  bool operator==(const Budget&) const = default;
};

/// The budget that a `budget` group describes: {ratio: 0.1} or {tokens: 650}; where both are given,
/// as after `budget.tokens=650` on top of a default ratio, tokens count. null means not given.
/// Throws Error(kConfig) for another key or type.
Budget budget_from_config(const ConfigNode& node);

/// The budget in tokens a (layer, head), on average over layers and heads: a ratio is rounded to
/// the nearest token. 0 for a generation of one step, which has no history to keep.
/// Throws Error(kConfig) with the nearest feasible value where the budget is not positive, above
/// the full cache, or rounds to nothing.
int64_t resolved_tokens(const Budget& budget, const std::vector<StepInfo>& steps);

}  // namespace kvscope
