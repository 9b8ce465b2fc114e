#pragma once

#include <string>

#include "core/config/repository.h"
#include "policies/registry.h"

namespace kvscope {

/// `kvscope describe policy/NAME`: where the policy comes from, and of every part in its slots
/// every option with its value here, default, range and the explanation that stands behind it in
/// the YAML. Throws Error(kConfig) for an unknown part or option, Error(kInput) where the file
/// cannot be read.
std::string policy_description(const LoadedConfig& policy, const PartRegistry& parts);

}  // namespace kvscope
