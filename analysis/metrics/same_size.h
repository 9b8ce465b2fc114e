#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/picture.h"

namespace kvscope {

/// Error(kInput) naming `metric` unless both pictures are equally large and no side is below
/// `smallest_side` pixels.
void require_same_size(const Picture& a,
                       const Picture& b,
                       std::string_view metric,
                       int64_t smallest_side);

}  // namespace kvscope
