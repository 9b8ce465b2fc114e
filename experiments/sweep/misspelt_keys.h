#pragma once

#include <string>
#include <vector>

#include "core/config/options.h"
#include "policies/registry.h"

namespace kvscope {

/// Keys of a run's configuration that no model, policy or command knows, but that are at most two
/// letters away from one that is known, or from one of `groups`, options of which are added with +:
/// each with its place and what was meant. Whole dotted keys are compared, so the part that is
/// misspelt may be any.
std::vector<UnreadKey> misspelt_keys(const ConfigNode& config,
                                     const ComponentRegistry& components,
                                     const std::vector<std::string>& groups);

}  // namespace kvscope
