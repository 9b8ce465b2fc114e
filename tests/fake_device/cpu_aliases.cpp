#include "tests/fake_device/cpu_aliases.h"

#include <ATen/Functions.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "tests/fake_device/device_memory.h"

namespace kvscope {
namespace {

/// `like`, in sizes, strides and type, over `storage`.
at::Tensor over(const at::Storage& storage, c10::DispatchKey key, const at::Tensor& like) {
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(storage), c10::DispatchKeySet(key), like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(),
                                                      like.storage_offset());
  return tensor;
}

bool is_same(const at::Storage& a, const at::Storage& b) {
  return a.unsafeGetStorageImpl() == b.unsafeGetStorageImpl();
}

bool lies_alike(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() &&
         a.storage_offset() == b.storage_offset();
}

at::Tensor copy_to_device(const at::Tensor& tensor) {
  at::Tensor copy = at::empty_strided(tensor.sizes(), tensor.strides(),
                                      tensor.options().device(c10::kPrivateUse1));
  CpuAliases aliases;
  aliases.alias(copy).copy_(tensor);
  return copy;
}

}  // namespace

at::Storage CpuAliases::storage_alias(const at::Storage& storage) {
  for (const auto& [original, alias] : storages_) {
    if (is_same(original, storage)) return alias;
  }
  // With an allocator, so that operators may resize what they write.
  const c10::Device cpu(c10::kCPU);
  at::Storage alias = c10::make_intrusive<c10::StorageImpl>(
      c10::StorageImpl::use_byte_size_t(), storage.nbytes(),
      c10::DataPtr(device_memory().on_host(storage.data()), cpu), c10::GetCPUAllocator(), true);
  storages_.emplace_back(storage, alias);
  return alias;
}

at::Tensor CpuAliases::alias(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_privateuseone()) return tensor;
  for (const auto& [original, alias] : tensors_) {
    if (original.is_same(tensor)) return alias;
  }
  at::Tensor alias = over(storage_alias(tensor.storage()), c10::DispatchKey::CPU, tensor);
  tensors_.emplace_back(tensor, alias);
  return alias;
}

at::Tensor CpuAliases::original(const at::Tensor& tensor) const {
  if (!tensor.defined() || !tensor.is_cpu()) return tensor;
  for (const auto& [original, alias] : tensors_) {
    if (alias.is_same(tensor)) return original;
  }
  for (const auto& [original, alias] : storages_) {
    if (is_same(alias, tensor.storage())) {
      return over(original, c10::DispatchKey::PrivateUse1, tensor);
    }
  }
  return copy_to_device(tensor);
}

c10::IValue CpuAliases::alias(const c10::IValue& value) {
  if (value.isTensor()) return alias(value.toTensor());
  if (value.isDevice() && value.toDevice().type() == c10::kPrivateUse1) {
    return c10::Device(c10::kCPU);
  }
  if (value.isTensorList()) {
    std::vector<at::Tensor> items = value.toTensorVector();
    for (at::Tensor& item : items) item = alias(item);
    return items;
  }
  if (value.isOptionalTensorList()) {
    std::vector<std::optional<at::Tensor>> items = value.toOptionalTensorVector();
    for (std::optional<at::Tensor>& item : items) {
      if (item) item = alias(*item);
    }
    return items;
  }
  return value;
}

c10::IValue CpuAliases::original(const c10::IValue& value) const {
  if (value.isTensor()) return original(value.toTensor());
  if (!value.isTensorList()) return value;
  std::vector<at::Tensor> items = value.toTensorVector();
  for (at::Tensor& item : items) item = original(item);
  return items;
}

void CpuAliases::follow_resizes() const {
  for (const auto& [original, alias] : storages_) {
    if (alias.data() == device_memory().on_host(original.data())) continue;
    resize_device_storage(original, alias.nbytes());
    std::memcpy(device_memory().on_host(original.data()), alias.data(), alias.nbytes());
  }
  for (const auto& [original, alias] : tensors_) {
    if (lies_alike(original, alias)) continue;
    original.unsafeGetTensorImpl()->set_sizes_and_strides(alias.sizes(), alias.strides(),
                                                          alias.storage_offset());
  }
}

void resize_device_storage(const at::Storage& storage, size_t bytes) {
  c10::DataPtr data = device_memory().allocate(bytes);
  const size_t kept = std::min(bytes, storage.nbytes());
  if (kept > 0) device_memory().copy_data(data.get(), storage.data(), kept);
  c10::StorageImpl* impl = storage.unsafeGetStorageImpl();
  impl->set_data_ptr_noswap(std::move(data));
  impl->set_nbytes(bytes);
}

}  // namespace kvscope
