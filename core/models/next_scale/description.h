#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <utility>

#include "core/config/value.h"
#include "core/models/next_scale/schedule.h"

namespace kvscope {

/// Replaces `schedule` by `model.picture.schedule` where it is given. Throws Error(kConfig) naming
/// the scale that is no [height, width], or where there are none or too many.
void read_schedule(const ConfigNode& model, ScaleSchedule& schedule);

/// Types of K and V in the cache under a `model.precision`: fp32; compact, both bf16; reference, K
/// fp32 and V of 16 bits, as the published code stores them under autocast. Throws Error(kConfig)
/// with the nearest name for another.
std::pair<at::ScalarType, at::ScalarType> next_scale_cache_types(const std::string& precision);

}  // namespace kvscope
