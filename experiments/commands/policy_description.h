#pragma once

#include <string>

#include "core/config/repository.h"
#include "policies/registry.h"

namespace kvscope {

/// `kvscope describe policy/NAME`: where the policy comes from, and of every component in its slots
/// every option with its value here, default, range and the explanation that stands behind it in
/// the YAML, or, for an option left at its default, behind it in another policy of the repository.
/// Throws Error(kConfig) for an unknown component or option, Error(kInput) where a file cannot be
/// read.
std::string policy_description(ConfigRepository& repository,
                               const std::string& name,
                               const ComponentRegistry& components);

}  // namespace kvscope
