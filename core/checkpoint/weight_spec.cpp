#include "core/checkpoint/weight_spec.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {

WeightSpec unneeded_tensors(std::string name,
                            std::string part,
                            std::vector<std::string> other_names) {
  return {.name = std::move(name),
          .shape = {},
          .buffer = true,
          .part = std::move(part),
          .other_names = std::move(other_names),
          .unneeded = true};
}

int64_t parameter_count(const std::vector<WeightSpec>& specs) {
  int64_t count = 0;
  for (const WeightSpec& spec : specs) {
    if (!spec.buffer) count += c10::multiply_integers(spec.shape);
  }
  return count;
}

TensorMap resolve_weights(
    const std::vector<WeightSpec>& specs,
    const TensorMap& tensors,
    const std::function<std::vector<std::string>(const std::string&)>& spellings,
    const std::string& what) {
  TensorMap found;
  std::string problems;
  for (const WeightSpec& spec : specs) {
    if (spec.buffer) continue;
    const std::vector<std::string> names = spellings(spec.name);
    const auto name = std::find_if(names.begin(), names.end(),
                                   [&](const std::string& n) { return tensors.contains(n); });
    if (name == names.end()) {
      problems += fmt::format("\n  missing '{}' {}", names.front(), spec.shape);
      continue;
    }
    const at::Tensor& tensor = tensors.at(*name);
    if (tensor.sizes() != at::IntArrayRef(spec.shape)) {
      problems += fmt::format("\n  '{}' has shape {}, expected {}", *name,
                              std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end()),
                              spec.shape);
      continue;
    }
    found.set(spec.name, tensor);
  }
  if (!problems.empty()) {
    throw Error(ErrorKind::kInput, "checkpoint does not fit " + what + ":" + problems);
  }
  return found;
}

}  // namespace kvscope
