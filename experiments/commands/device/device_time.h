#pragma once

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct DeviceTimeOptions {
  bool work = false;  ///< a second batch, in which every operator is timed
  bool json = false;
};

/// `kvscope device time [-m] OVERRIDES`: makes one batch (gen.batch images) of every point, keeps
/// no image, and prints times and memory; with `work`, where the time of one step goes: of the step
/// in the middle of a next-token model, of the last scale of a next-scale one. A point that does
/// not fit the device's memory is named, and the others go on. Returns 0, or 3 where one did not.
/// Throws as list_points(), open_device() and the model do.
int device_time_command(const ConfigArguments& arguments, const DeviceTimeOptions& options);

}  // namespace kvscope
