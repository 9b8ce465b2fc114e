#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace kvscope {

/// (height, width) of every scale of a next-scale model, in tokens, coarsest first.
using ScaleSchedule = std::vector<std::pair<int64_t, int64_t>>;

}  // namespace kvscope
