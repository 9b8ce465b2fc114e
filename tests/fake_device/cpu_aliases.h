#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace kvscope {

/// The fake device's tensors as CPU tensors over the same memory, for one call of an operator; and
/// the way back for its results.
class CpuAliases {
 public:
  /// A device tensor's alias, the same one each time; any other tensor as it is.
  at::Tensor alias(const at::Tensor& tensor);
  /// What `tensor` is on the device: the original of an alias, a view of an original where it is a
  /// view of an alias, a copy otherwise.
  at::Tensor original(const at::Tensor& tensor) const;
  /// The same of tensors in lists; a fake device becomes the CPU. Other values as they are.
  c10::IValue alias(const c10::IValue& value);
  c10::IValue original(const c10::IValue& value) const;

  /// Gives originals the sizes and the storage that an operator gave their aliases.
  void follow_resizes() const;

 private:
  at::Storage storage_alias(const at::Storage& storage);

  std::vector<std::pair<at::Tensor, at::Tensor>> tensors_;     // original, alias
  std::vector<std::pair<at::Storage, at::Storage>> storages_;  // shared where the originals share
};

/// Makes the storage of a device tensor `bytes` large, its bytes kept.
void resize_device_storage(const at::Storage& storage, size_t bytes);

}  // namespace kvscope
