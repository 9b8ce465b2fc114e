#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// A key of a mapping as ConfigEntry::name spells it: null, true, 16, 1.0, or the text itself.
std::string key_spelling(const ConfigNode& key);

/// The key that an entry's name and kind spell.
ConfigNode entry_key(const ConfigEntry& entry);

/// Whether two keys are the same to Python: 1, 1.0 and true are.
bool same_key(const ConfigNode& a, const ConfigNode& b);

}  // namespace kvscope
