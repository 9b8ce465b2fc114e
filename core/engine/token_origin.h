#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/engine/step.h"

namespace kvscope {

/// Where a cached token came from; policies and recorders group by it.
struct TokenOrigin {
  int32_t step = 0;   ///< StepInfo::index that wrote it
  int32_t token = 0;  ///< row-major position inside that step's grid
  bool operator==(const TokenOrigin&) const = default;
};

/// Position of a token in the generation that `steps` are, padding counted.
inline int64_t position_of(const TokenOrigin& origin, std::span<const StepInfo> steps) {
  return steps[static_cast<std::size_t>(origin.step)].first_token + origin.token;
}

}  // namespace kvscope
