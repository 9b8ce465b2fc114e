#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope {

/// [rows, columns], uninitialised, 64-byte aligned. Throws std::bad_alloc, or what the device's
/// allocator throws, where memory is short.
at::Tensor allocate_arena(int64_t rows, int64_t columns, at::ScalarType type, at::Device device);

}  // namespace kvscope
