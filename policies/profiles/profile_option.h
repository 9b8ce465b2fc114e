#pragma once

#include <string>
#include <vector>

#include "core/config/options.h"
#include "policies/profiles/profile.h"

namespace kvscope {

/// The profile of `kind` at the path that `node` holds, relative to the YAML file that names it or
/// else to the working directory. Throws as read_profile(), the message beginning with `where`.
Profile profile_of_option(const ConfigNode& node, const std::string& where, ProfileKind kind);

/// Entries of option `maps`, a list of profiles that a policy finds by a model's shape; none where
/// it is absent or null. Throws Error(kConfig) where it is something else.
std::vector<const ConfigNode*> map_entries(Options& options);

}  // namespace kvscope
