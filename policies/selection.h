#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// The `count` tokens that stay of one (row, head): all protected ones, then the highest scores,
/// ties to the lower index; indices ascending. `scores` and `is_protected` [tokens]; needs
/// protected tokens <= count <= tokens and comparable scores where nothing is protected.
std::vector<int64_t> keep_best(std::span<const float> scores,
                               std::span<const uint8_t> is_protected,
                               int64_t count);

}  // namespace kvscope
