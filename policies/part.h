#pragma once

// What the source of a part includes. A part is one file, <slot>/<name>.cpp, that defines
//   std::unique_ptr<Score> make_score_<name>(PartOptions& options)
// (likewise for the other slots) and has one line in parts.def.

#include <memory>  // IWYU pragma: export

#include "policies/part_options.h"  // IWYU pragma: export
#include "policies/slots.h"         // IWYU pragma: export

namespace kvscope {

/// How a registered part is made: it reads its options and is ready.
template <class Slot>
using MakePart = std::unique_ptr<Slot>(PartOptions& options);

}  // namespace kvscope
