#include "core/device/device_error.h"

#include <fmt/format.h>

#include <new>
#include <string>

namespace kvscope {
namespace {

/// LibTorch's messages go on with advice and stack traces.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

constexpr const char* kAdvice =
    " A smaller gen.batch or budget needs less; gen.batch=auto finds it.";

}  // namespace

std::optional<OutOfMemory> out_of_memory(const std::exception& error) {
  if (const auto* known = dynamic_cast<const OutOfMemory*>(&error)) return *known;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return OutOfMemory(fmt::format("out of memory.{}", kAdvice));
  }
  // oneDNN says no more than this of an allocation that failed.
  if (std::string(error.what()).starts_with("could not create a ")) {
    return OutOfMemory(fmt::format("out of memory: {}.{}", error.what(), kAdvice));
  }
  const auto* torch = dynamic_cast<const c10::Error*>(&error);
  if (torch == nullptr) return std::nullopt;
  const std::string said = first_line(torch->what_without_backtrace());
  if (dynamic_cast<const c10::OutOfMemoryError*>(torch) != nullptr) {
    return OutOfMemory(fmt::format("the device's memory is exhausted: {}{}", said, kAdvice));
  }
  // LibTorch's allocator of the host has no type of its own for it.
  const size_t host = said.find("DefaultCPUAllocator: ");
  if (host == said.npos) return std::nullopt;
  return OutOfMemory(fmt::format("out of memory: {}.{}", said.substr(host), kAdvice));
}

std::optional<Error> device_error(const c10::Error& error) {
  const std::string said = first_line(error.what_without_backtrace());
  if (const auto memory = out_of_memory(error)) return *memory;
  if (dynamic_cast<const c10::AcceleratorError*>(&error) != nullptr ||
      said.starts_with("CUDA error") || said.find(": CUDA error") != std::string::npos) {
    return Error(ErrorKind::kEnvironment, "the device failed: " + said);
  }
  return std::nullopt;
}

}  // namespace kvscope
