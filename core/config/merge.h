#pragma once

#include "core/config/override.h"
#include "core/config/value.h"

namespace kvscope {

/// Merges `source` into `root` at the dotted `package` ("" = top) by OmegaConf's rules: mappings
/// merge key by key, lists and scalars replace, `???` replaces nothing, an interpolation to a
/// mapping is replaced by what it stands for before a mapping merges into it. A list and a mapping
/// never merge.
void merge_config(ConfigNode& root, const std::string& package, const ConfigNode& source);

/// Applies one value override: change (the key must exist), +add, ++add or change, ~delete. Throws
/// Error(kConfig) with the nearest and the known keys.
void apply_override(ConfigNode& root, const Override& override);

}  // namespace kvscope
