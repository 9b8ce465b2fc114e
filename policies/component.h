#pragma once

// What the source of a component includes. A component is one file, <slot>/<name>.cpp, that defines
//   std::unique_ptr<Score> make_score_<name>(Options& options)
// (likewise for the other slots) and has one line in components.def.

#include <memory>  // IWYU pragma: export
#include <string>

#include "core/config/options.h"  // IWYU pragma: export
#include "policies/slots.h"       // IWYU pragma: export

namespace kvscope {

/// The name in `{name: component, option: value, ...}`, or the bare name that `node` is. Throws
/// Error(kConfig) where there is none; `where` is the key of the slot, such as "policy.score".
std::string component_name(const std::string& where, const ConfigNode& node);

/// The options beside that name.
Options component_options(const std::string& where, const ConfigNode& node);

/// How a registered component is made: it reads its options and is ready.
template <class Slot>
using MakeComponent = std::unique_ptr<Slot>(Options& options);

}  // namespace kvscope
