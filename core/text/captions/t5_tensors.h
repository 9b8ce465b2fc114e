#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/text/captions/t5_encoder.h"

namespace kvscope {

/// Published names and shapes of a T5 v1.1 encoder's weights, in module order.
std::vector<std::pair<std::string, std::vector<int64_t>>> t5_tensors(const T5Config& config);

}  // namespace kvscope
