#pragma once

#include <filesystem>
#include <string>

#include "policies/budget.h"
#include "policies/registry.h"

namespace kvscope {

/// So many tokens after every eviction, with what comes until the next one on top.
inline Budget tokens_at_evictions(int64_t tokens) {
  return {.unit = BudgetUnit::kTokens,
          .amount = static_cast<double>(tokens),
          .moment = BudgetMoment::kEviction};
}

/// The budget that a sweep gives the policy of this YAML: one that keeps everything has the whole
/// cache whatever was asked for.
inline Budget as_in_a_sweep(const ConfigNode& policy, const Budget& asked) {
  const ConfigNode* allocate = policy.find("allocate.name");
  return allocate != nullptr && allocate->as_string() == "full" ? Budget{} : asked;
}

}  // namespace kvscope
