#pragma once

#include <string>

namespace kvscope {

struct DeviceInfoOptions {
  std::string device = "auto";  ///< see open_device()
  bool quick = false;           ///< small measurements
  bool json = false;
};

/// `kvscope device info`: what the device is, and the measured limits of its memory and of its
/// matrix products. Returns 0. Throws as open_device() does.
int device_info_command(const DeviceInfoOptions& options);

}  // namespace kvscope
