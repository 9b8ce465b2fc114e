#pragma once

#include <c10/core/Device.h>

namespace kvscope {

/// Where tests that can run on any device run: the CPU, or what the test program's --device says.
inline c10::Device& test_device() {
  static c10::Device device(c10::kCPU);
  return device;
}

}  // namespace kvscope
