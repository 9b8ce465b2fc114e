#include "core/models/next_token/checkpoint_parts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/mapped_tensor.h"

namespace kvscope::next_token {
namespace {

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> tails) {
  return std::any_of(tails.begin(), tails.end(),
                     [&](std::string_view tail) { return name.ends_with(tail); });
}

}  // namespace

std::string model_file(const std::string& root, const std::string& path) {
  return (std::filesystem::path(root) / path).string();  // an absolute path replaces the root
}

TensorMap load_tensors(const std::string& root, const std::string& path) {
  return read_checkpoint(model_file(root, path));
}

TensorMap part_tensors(const TensorMap& main,
                       const std::string& own_path,
                       const std::string& root,
                       std::string_view prefix) {
  const TensorMap tensors = own_path.empty() ? main : load_tensors(root, own_path);
  TensorMap part = tensors.below(prefix);
  return part.empty() ? tensors : part;
}

TensorMap converted(const TensorMap& tensors, at::ScalarType type, at::Device device) {
  return kvscope::converted(tensors, device, type);
}

TensorMap random_decoder(const std::vector<WeightSpec>& specs,
                         int64_t layers,
                         at::ScalarType type,
                         at::Generator generator) {
  const double into_residual = 1.0 / std::sqrt(2.0 * static_cast<double>(layers));
  TensorMap tensors;
  for (const WeightSpec& spec : specs) {
    at::Tensor tensor = at::zeros(spec.shape, at::TensorOptions().dtype(type));
    if (spec.shape.size() == 1 && spec.name.ends_with(".weight")) {
      tensor.fill_(1);
    } else if (spec.shape.size() > 1) {
      double deviation = 0.8 / std::sqrt(static_cast<double>(spec.shape.back()));
      if (ends_with_any(spec.name, {"o_proj.weight", "down_proj.weight", "attention.wo.weight",
                                    "feed_forward.w2.weight"})) {
        deviation *= into_residual;
      } else if (ends_with_any(spec.name, {"vision_head.weight"}) || spec.name == "output.weight") {
        deviation *= 0.1;
      }
      tensor.normal_(0, deviation, generator);
    }
    tensors.set(spec.name, tensor);
  }
  return tensors;
}

uint64_t text_seed(std::string_view text) {
  uint64_t seed = 0xcbf29ce484222325ULL;
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return seed;
}

}  // namespace kvscope::next_token
