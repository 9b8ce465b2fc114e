#pragma once

#include "core/config/value.h"
#include "policies/registry.h"

namespace kvscope {

/// Gives equal numbers one spelling, so that a point which is asked for in several is one point: 3,
/// [3] and [3.0] become 3.0 where the reader of a key takes a float or a list of them, [3] becomes
/// 3 where it takes integers. Files of configs/ have this spelling already. Values of other kinds
/// stay. Throws Error(kConfig) as make_policy() does for components that there are not.
void settle_numbers(ConfigNode& config, const ComponentRegistry& components);

/// Gives the numbers of `config` the spelling that equal numbers have in `other`.
void take_spelling(ConfigNode& config, const ConfigNode& other);

}  // namespace kvscope
