#pragma once

#include <cstdint>
#include <vector>

namespace kvscope {

/// Tokens a head of every layer where the first `uncut` of `layers` keep all `full` tokens and the
/// others share what is left of `budget` tokens per layer, at least 1 each: the mean is the budget,
/// or more where the uncut layers alone exceed it.
std::vector<int64_t> uncut_layer_tokens(int64_t layers,
                                        int64_t uncut,
                                        int64_t budget,
                                        int64_t full);

}  // namespace kvscope
