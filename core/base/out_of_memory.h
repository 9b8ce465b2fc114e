#pragma once

#include <string>

#include "core/base/error.h"

namespace kvscope {

/// Memory that is not to be had, of the host or of a device: fewer images at once need less.
class OutOfMemory : public Error {
 public:
  explicit OutOfMemory(const std::string& message) : Error(ErrorKind::kEnvironment, message) {}
};

}  // namespace kvscope
