#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <utility>

#include "core/checkpoint/mapped_tensor.h"
#include "core/config/options.h"
#include "core/models/next_scale/schedule.h"

namespace kvscope {

/// Replaces `schedule` by `picture.schedule` and returns true where it is given. Throws
/// Error(kConfig) naming the scale that is no [height, width].
bool read_schedule(Options& options, ScaleSchedule& schedule);
/// Throws Error(kConfig) where there are no scales or too many.
void check_schedule(const ScaleSchedule& schedule);

/// Types of K and V in the cache under a `model.precision`: fp32; compact and compact_weights, both
/// bf16; reference, K fp32 and V of 16 bits, as the published code stores them under autocast.
/// Throws Error(kConfig) with the nearest name for another.
std::pair<at::ScalarType, at::ScalarType> next_scale_cache_types(const std::string& precision);

/// Under it, how tensors of the transformer lie in memory: compact_weights keeps the matrices of
/// the blocks in bf16, all else is fp32.
StoredType next_scale_stored_type(const std::string& precision);

/// Under it, in which type the image decoder computes.
at::ScalarType next_scale_image_type(const std::string& precision);

}  // namespace kvscope
