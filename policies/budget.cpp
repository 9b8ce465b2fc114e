#include "policies/budget.h"

#include <fmt/core.h>

#include <cmath>

#include "core/base/error.h"

namespace kvscope {
namespace {

int64_t tokens_of_ratio(double ratio, int64_t full) {
  if (!(ratio > 0.0 && ratio <= 1.0)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("budget.ratio: {} is not in (0, 1]; nearest feasible: {}", ratio,
                            ratio > 1.0 ? 1.0 : 1.0 / static_cast<double>(full)));
  }
  const auto tokens = std::llround(ratio * static_cast<double>(full));
  if (tokens < 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("budget.ratio: {} of {} tokens rounds to none; nearest feasible: {:.6g}"
                            " (budget.tokens=1)",
                            ratio, full, 1.0 / static_cast<double>(full)));
  }
  return tokens;
}

}  // namespace

Budget budget_from_config(const ConfigNode& node) {
  if (!node.is_map()) {
    throw Error(ErrorKind::kConfig, "budget: expected {ratio: 0.1} or {tokens: 650}");
  }
  Budget budget;
  for (const ConfigEntry& entry : node.entries()) {
    if (entry.name != "ratio" && entry.name != "tokens") {
      throw Error(ErrorKind::kConfig, fmt::format("budget.{}: unknown key. {}", entry.name,
                                                  suggestion(entry.name, {"ratio", "tokens"})));
    }
    if (entry.value.is_null()) {
      continue;
    }
    if (entry.name == "ratio") {
      budget.ratio = entry.value.as_double();
    } else {
      budget.tokens = entry.value.as_int64();
    }
  }
  return budget;
}

int64_t resolved_tokens(const Budget& budget, const std::vector<StepInfo>& steps) {
  const int64_t full = full_cache_tokens(steps);
  if (full < 1) {
    return 0;  // a single step reads no history: there is nothing to keep or to drop
  }
  if (!budget.tokens) {
    return tokens_of_ratio(budget.ratio, full);
  }
  if (*budget.tokens < 1 || *budget.tokens > full) {
    throw Error(ErrorKind::kConfig,
                fmt::format("budget.tokens: {} is not in 1..{}, the tokens of a full cache going "
                            "into the last step; nearest feasible: {}",
                            *budget.tokens, full, *budget.tokens < 1 ? 1 : full));
  }
  return *budget.tokens;
}

}  // namespace kvscope
