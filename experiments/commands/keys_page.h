#pragma once

#include <string>
#include <vector>

#include "experiments/sweep/run_keys.h"

namespace kvscope {

/// docs/keys.md: every key in a Markdown table per group, with type, what is allowed, unit,
/// default, whether it may be null, who reads it and what it is for.
std::string keys_page(const std::vector<RunKey>& keys);

}  // namespace kvscope
