#include "core/checkpoint/mapped_tensor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace kvscope {
namespace {

void drop_file(void* file) {
  delete static_cast<std::shared_ptr<MappedFile>*>(file);
}

// Gives back the pages under a contiguous tensor if they are a mapped file's.
void release_pages(const at::Tensor& tensor) {
  const auto* file =
      tensor.storage().data_ptr().cast_context<std::shared_ptr<MappedFile>>(&drop_file);
  if (file == nullptr) return;
  (*file)->release({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
}

at::Tensor convert(const at::Tensor& source, at::Device device, at::ScalarType floating) {
  const at::ScalarType dtype = source.is_floating_point() ? floating : source.scalar_type();
  if (source.device() == device && source.scalar_type() == dtype) return source;
  if (source.numel() == 0 || !source.is_contiguous()) return source.to(device, dtype);
  at::Tensor result = at::empty(source.sizes(), at::TensorOptions(dtype).device(device));
  const at::Tensor from = source.view(-1);
  const at::Tensor into = result.view(-1);
  constexpr int64_t kPieceBytes = int64_t{4} << 20;
  const int64_t piece = kPieceBytes / static_cast<int64_t>(source.element_size());
  for (int64_t begin = 0; begin < from.numel(); begin += piece) {
    const int64_t count = std::min(piece, from.numel() - begin);
    const at::Tensor part = from.narrow(0, begin, count);
    into.narrow(0, begin, count).copy_(part);
    release_pages(part);
  }
  return result;
}

}  // namespace

at::Tensor mapped_tensor(const std::shared_ptr<MappedFile>& file,
                         int64_t offset_bytes,
                         int64_t count,
                         at::ScalarType dtype) {
  const auto options = at::TensorOptions(dtype);
  if (count == 0) return at::empty({0}, options);
  const auto item_bytes = static_cast<int64_t>(c10::elementSize(dtype));
  std::byte* begin = file->data() + offset_bytes;
  if (reinterpret_cast<uintptr_t>(begin) % static_cast<uintptr_t>(item_bytes) == 0) {
    return at::for_blob(begin, {count})
        .context(new std::shared_ptr<MappedFile>(file), &drop_file)
        .options(options)
        .make_tensor();
  }
  at::Tensor copy = at::empty({count}, options);
  file->read(offset_bytes,
             {static_cast<std::byte*>(copy.data_ptr()), static_cast<size_t>(count * item_bytes)});
  return copy;
}

TensorMap converted(const TensorMap& tensors, at::Device device, at::ScalarType floating) {
  return converted(tensors, device, [=](const std::string&, at::IntArrayRef) { return floating; });
}

TensorMap converted(const TensorMap& tensors, at::Device device, const StoredType& type_of) {
  using View = std::tuple<const void*, std::vector<int64_t>, std::vector<int64_t>, at::ScalarType,
                          at::ScalarType>;
  std::map<View, at::Tensor> done;
  TensorMap result;
  for (const auto& [name, tensor] : tensors) {
    const at::ScalarType type = type_of(name, tensor.sizes());
    at::Tensor& converted = done[View(tensor.const_data_ptr(), tensor.sizes().vec(),
                                      tensor.strides().vec(), tensor.scalar_type(), type)];
    if (!converted.defined()) converted = convert(tensor, device, type);
    result.set(name, converted);
  }
  return result;
}

}  // namespace kvscope
