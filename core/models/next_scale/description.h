#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <utility>

#include "core/config/options.h"
#include "core/models/next_scale/schedule.h"

namespace kvscope {

/// Replaces `schedule` by `picture.schedule` and returns true where it is given. Throws
/// Error(kConfig) naming the scale that is no [height, width].
bool read_schedule(Options& options, ScaleSchedule& schedule);
/// Throws Error(kConfig) where there are no scales or too many.
void check_schedule(const ScaleSchedule& schedule);

/// Types of K and V in the cache under a `model.precision`: fp32; compact, both bf16; reference, K
/// fp32 and V of 16 bits, as the published code stores them under autocast. Throws Error(kConfig)
/// with the nearest name for another.
std::pair<at::ScalarType, at::ScalarType> next_scale_cache_types(const std::string& precision);

}  // namespace kvscope
