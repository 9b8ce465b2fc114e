#include "core/engine/arena_memory.h"

#include <ATen/Functions.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace kvscope {

// On a CPU LibTorch's allocator ends the process when memory is short, so the memory is taken here,
// where failing can be said.
at::Tensor allocate_arena(int64_t rows, int64_t columns, at::ScalarType type, at::Device device) {
  const auto options = at::TensorOptions().dtype(type).device(device);
  if (!device.is_cpu()) return at::empty({rows, columns}, options);
  constexpr size_t kAlignment = 64;
  const size_t bytes = rows * columns * c10::elementSize(type);
  const size_t rounded = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return at::from_blob(
      memory, {rows, columns}, [](void* data) { std::free(data); }, options);
}

}  // namespace kvscope
