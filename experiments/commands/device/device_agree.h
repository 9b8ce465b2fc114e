#pragma once

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct DeviceAgreeOptions {
  bool json = false;
};

/// `kvscope device agree [-m] OVERRIDES device=D`: makes every point's images on the CPU and on its
/// device and compares tokens, tokens kept and bytes. Kept counts and bytes must be equal. Tokens
/// come from the same random numbers, so they differ only where rounding decides between two, and
/// then everything after them differs: at least half of the images must be equal. Returns 0, or 1
/// where a point does not agree. Throws as list_points(), open_device() and the model do.
int device_agree_command(const ConfigArguments& arguments, const DeviceAgreeOptions& options);

}  // namespace kvscope
