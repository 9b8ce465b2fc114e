#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/config/override.h"
#include "core/config/value.h"

namespace kvscope {

/// Merges `source` into `root` at the dotted `package` ("" = top) by OmegaConf's rules: mappings
/// merge key by key, lists and scalars replace, `???` replaces nothing, an interpolation to a
/// mapping is replaced by what it stands for before a mapping merges into it. A list and a mapping
/// never merge.
void merge_config(ConfigNode& root, const std::string& package, const ConfigNode& source);

/// What an override without `+` does where its key is not there.
enum class AbsentKeys : uint8_t {
  kRefuse,  ///< an error, as in Hydra
  /// The key is added, for those who read the config to judge: a file need not list what its
  /// readers know. On the way a bare name becomes {name: it}; a mapping of another name, or a list
  /// for a mapping, replaces what is there; what has no place to be added to, or is not there to be
  /// deleted, is said to have nothing to act on.
  kAdd
};

/// Applies one value override: change, +add, ++add or change, ~delete. Returns why where it had
/// nothing to act on (AbsentKeys::kAdd). Throws Error(kConfig) with the nearest and the known keys.
std::optional<std::string> apply_override(ConfigNode& root,
                                          const Override& override,
                                          AbsentKeys absent = AbsentKeys::kRefuse);

}  // namespace kvscope
