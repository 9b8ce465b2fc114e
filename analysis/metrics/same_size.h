#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/image.h"

namespace kvscope {

/// Error(kInput) naming `metric` unless both images are equally large and no side is below
/// `smallest_side` pixels.
void require_same_size(const Image& a,
                       const Image& b,
                       std::string_view metric,
                       int64_t smallest_side);

}  // namespace kvscope
