#pragma once

#include <string>

#include "core/config/override.h"
#include "core/config/value.h"

namespace kvscope {

/// Whether keys may be added.
enum class NewKeys : uint8_t { kRefuse, kAdd };

/// Sets the key as OmegaConf.update does: what is no container on the way becomes an empty mapping,
/// a mapping merges into a mapping. Throws Error(kConfig) saying what is not there, what is near
/// it, and what is known.
void update_key(ConfigNode& root, const Override& override, NewKeys new_keys);

/// Whether something other than null or `???` is there, interpolations followed. Throws
/// Error(kConfig) where an interpolation fails.
bool holds_value(const ConfigNode& root, const std::string& key);

/// Deletes what the override names, following interpolations on the way. Throws Error(kConfig)
/// where there is nothing, or another value than the override's; 1, 1.0 and true are the same
/// value.
void delete_key(ConfigNode& root, const Override& override);

/// Why the key of an override is refused: what is not there, what is near, how it is added.
std::string unknown_key(const ConfigNode& parent,
                        const std::string& parent_path,
                        const std::string& key,
                        const Override& override);

}  // namespace kvscope
