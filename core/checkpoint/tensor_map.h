#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvscope {

/// Named tensors in insertion order: the weights of a model. Copies share the tensors' memory.
class TensorMap {
 public:
  using Entry = std::pair<std::string, at::Tensor>;

  /// Throws Error(kInput) naming the missing tensor and the nearest existing name.
  [[nodiscard]] const at::Tensor& at(std::string_view name) const;
  /// As above, and Error(kInput) where the shape is not `shape`.
  [[nodiscard]] const at::Tensor& at(std::string_view name, at::IntArrayRef shape) const;
  [[nodiscard]] bool contains(std::string_view name) const;
  /// Adds `tensor`, or replaces the one of that name in its place.
  void set(std::string name, at::Tensor tensor);
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The tensors whose name begins with `prefix`, named without it.
  [[nodiscard]] TensorMap below(std::string_view prefix) const;
  /// The same tensors on `device`; shares memory where they are there already.
  [[nodiscard]] TensorMap to(at::Device device) const;

  [[nodiscard]] std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  [[nodiscard]] std::vector<Entry>::const_iterator end() const { return entries_.end(); }
  /// Name and tensor pairs, as write_safetensors takes them.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;  // name -> position in entries_
};

}  // namespace kvscope
