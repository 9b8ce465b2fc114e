#include "core/models/next_token/random_decoder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kvscope::next_token {
namespace {

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> tails) {
  return std::any_of(tails.begin(), tails.end(),
                     [&](std::string_view tail) { return name.ends_with(tail); });
}

}  // namespace

TensorMap random_decoder(const std::vector<WeightSpec>& specs,
                         int64_t layers,
                         at::ScalarType type,
                         at::Generator generator) {
  const double into_residual = 1.0 / std::sqrt(2.0 * static_cast<double>(layers));
  TensorMap tensors;
  for (const WeightSpec& spec : specs) {
    at::Tensor tensor = at::zeros(spec.shape, at::TensorOptions().dtype(type));
    const bool is_norm = spec.shape.size() == 1 || spec.name.ends_with("_norm.weight");
    if (is_norm && spec.name.ends_with(".weight")) {
      tensor.fill_(1);
    } else if (spec.shape.size() > 1 && !spec.name.ends_with(".bias")) {
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

}  // namespace kvscope::next_token
