#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/mapped_file.h"
#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// Elements [count] of `file` from byte `offset_bytes` on, which must lie inside it: a view of the
/// map, which lives as long as the tensor does. Nothing is read until used; writing changes private
/// pages, never the file. Where the file does not align them to their size it is a copy instead.
at::Tensor mapped_tensor(const std::shared_ptr<MappedFile>& file,
                         int64_t offset_bytes,
                         int64_t count,
                         at::ScalarType dtype);

/// `tensors` on `device`, floating ones as `floating`; one that is so already is shared, two names
/// of one tensor stay one. Goes piece by piece and gives the pages of a mapped file back as soon as
/// their values are copied: at no time are both forms of the weights in memory. A mapped tensor
/// that was written to loses what was written if it is converted.
TensorMap converted(const TensorMap& tensors, at::Device device, at::ScalarType floating);

/// Likewise, each floating tensor in the type that `type_of(name, shape)` says.
using StoredType = std::function<at::ScalarType(const std::string& name, at::IntArrayRef shape)>;
TensorMap converted(const TensorMap& tensors, at::Device device, const StoredType& type_of);

}  // namespace kvscope
