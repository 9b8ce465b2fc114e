#pragma once

#include <cstdint>

namespace kvscope {

/// Tells LibTorch of the one fake device with its one stream. An event takes the host's time when
/// it is recorded, as everything before it is done by then.
void register_device_guard();

/// Calls of synchronizeDevice() so far.
int64_t device_synchronisations();

}  // namespace kvscope
