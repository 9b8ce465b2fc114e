#pragma once

#include <string>
#include <vector>

#include "core/config/sweep_filter.h"
#include "policies/registry.h"

namespace kvscope {

/// The words that a key of a run may be, of all who read it; empty where it may be anything else.
std::vector<std::string> declared_words_of(const std::string& key);

/// For filters of sweeps: keys that a composition does not list. A key that this configuration's
/// readers know has its default, one of another model or policy is null. `config` and `components`
/// must outlive the answer.
UnlistedKeys unlisted_keys(const ConfigNode& config, const ComponentRegistry& components);

}  // namespace kvscope
