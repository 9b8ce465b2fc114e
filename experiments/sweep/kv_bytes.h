#pragma once

#include "core/config/interpolation.h"

namespace kvscope {

/// ${kv_bytes:${model}} or ${kv_bytes:${model},ROWS}: bytes of the keys and values of a full cache
/// of the model's last step, for so many rows (1; a guided image has two). From the model's
/// configuration alone, no weight is read.
ConfigNode kv_bytes_of(const std::vector<ConfigNode>& arguments);

}  // namespace kvscope
