#pragma once

#include <nlohmann/json.hpp>

#include "core/config/override.h"
#include "core/config/value.h"

namespace kvscope {

/// The strict JSON of configurations: integers and floats kept apart (1 and 1.0), infinities and
/// NaN as {"__float__": "inf"}, integers beyond 64 bits as {"__int__": digits}, mappings with a key
/// that is no string as {"__map__": [[key, value], ...]}; keys in their order.
nlohmann::ordered_json config_json(const ConfigNode& node);

/// What the grammar made of an override: type, key, package, key_element, value_type (null for a
/// deletion without value), and value with value_as_str and quoted, or sweep; of a zip(..), which
/// is ours, the sweep's members as `sweeps`.
nlohmann::ordered_json override_json(const Override& override);

}  // namespace kvscope
