#pragma once

#include <ATen/ATen.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/checkpoint/mapped_tensor.h"
#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// The bytes of a fuzzer as a file in memory, so that readers that map files are run as they are.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size)) {
      std::abort();  // the machine's fault, not the reader's
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

/// Reads every byte of every tensor, as loading a model does.
inline void use_all(const TensorMap& tensors) {
  uint8_t folded = 0;
  for (const auto& [name, tensor] : converted(tensors, at::kCPU, at::kFloat)) {
    const at::Tensor dense = tensor.contiguous();
    const auto* bytes = static_cast<const uint8_t*>(dense.const_data_ptr());
    for (size_t i = 0; i < dense.nbytes(); ++i) folded = static_cast<uint8_t>(folded ^ bytes[i]);
  }
  asm volatile("" : : "r"(folded));  // so that the reads are made
}

}  // namespace kvscope
