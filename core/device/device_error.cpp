#include "core/device/device_error.h"

#include <string>

namespace kvscope {
namespace {

/// LibTorch's messages go on with advice and stack traces.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::optional<Error> device_error(const c10::Error& error) {
  const std::string said = first_line(error.what_without_backtrace());
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
    return Error(ErrorKind::kEnvironment, "the device's memory is exhausted: " + said +
                                              " A smaller gen.batch or budget needs less.");
  }
  if (dynamic_cast<const c10::AcceleratorError*>(&error) != nullptr ||
      said.starts_with("CUDA error") || said.find(": CUDA error") != std::string::npos) {
    return Error(ErrorKind::kEnvironment, "the device failed: " + said);
  }
  return std::nullopt;
}

}  // namespace kvscope
