#include "core/checkpoint/tensor_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"

namespace kvscope {

const at::Tensor& TensorMap::at(std::string_view name) const {
  const auto found = index_.find(name);
  if (found != index_.end()) return entries_[found->second].second;
  const std::string near = nearest_name(std::string(name), names());
  throw Error(ErrorKind::kInput,
              fmt::format("no tensor '{}' among {} weights{}", name, size(),
                          near.empty() ? "" : fmt::format("; the nearest is '{}'", near)));
}

const at::Tensor& TensorMap::at(std::string_view name, at::IntArrayRef shape) const {
  const at::Tensor& tensor = at(name);
  if (tensor.sizes() != shape) {
    throw Error(ErrorKind::kInput,
                fmt::format("tensor '{}' has shape [{}], expected [{}]", name,
                            fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
  }
  return tensor;
}

bool TensorMap::contains(std::string_view name) const {
  return index_.contains(name);
}

void TensorMap::set(std::string name, at::Tensor tensor) {
  const auto [place, added] = index_.try_emplace(name, entries_.size());
  if (added) {
    entries_.emplace_back(std::move(name), std::move(tensor));
  } else {
    entries_[place->second].second = std::move(tensor);
  }
}

std::vector<std::string> TensorMap::names() const {
  std::vector<std::string> result;
  result.reserve(size());
  for (const auto& [name, tensor] : entries_) result.push_back(name);
  return result;
}

TensorMap TensorMap::below(std::string_view prefix) const {
  TensorMap result;
  for (const auto& [name, tensor] : entries_) {
    if (name.starts_with(prefix)) result.set(name.substr(prefix.size()), tensor);
  }
  return result;
}

TensorMap TensorMap::to(at::Device device) const {
  TensorMap moved;
  for (const auto& [name, tensor] : entries_) moved.set(name, tensor.to(device));
  return moved;
}

}  // namespace kvscope
