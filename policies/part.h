#pragma once

// What the source of a part includes. A part is one file, <slot>/<name>.cpp, that defines
//   std::unique_ptr<Score> make_score_<name>(Options& options)
// (likewise for the other slots) and has one line in parts.def.

#include <memory>  // IWYU pragma: export
#include <string>

#include "core/config/options.h"  // IWYU pragma: export
#include "policies/slots.h"       // IWYU pragma: export

namespace kvscope {

/// The name in `{name: part, option: value, ...}`, or the bare name that `node` is. Throws
/// Error(kConfig) where there is none; `where` is the key of the slot, such as "policy.score".
std::string part_name(const std::string& where, const ConfigNode& node);

/// The options beside that name.
Options part_options(const std::string& where, const ConfigNode& node);

/// How a registered part is made: it reads its options and is ready.
template <class Slot>
using MakePart = std::unique_ptr<Slot>(Options& options);

}  // namespace kvscope
