#include <ATen/ATen.h>

#include <cmath>

#include "core/models/next_token/family_tensors.h"

namespace kvscope::next_token {

TensorMap random_transformer(const NextTokenFamily& family,
                             const ModelDescription& model,
                             at::ScalarType type,
                             at::Generator generator) {
  const CheckpointNames& names = family.names;
  const double into_residual = 1.0 / std::sqrt(2.0 * static_cast<double>(model.decoder.layers));
  TensorMap tensors;
  for (const WeightSpec& spec : transformer_tensors(family, model)) {
    at::Tensor tensor = at::zeros(spec.shape, at::TensorOptions().dtype(type));
    const bool is_norm = spec.shape.size() == 1 || spec.name.ends_with("_norm.weight");
    if (is_norm && spec.name.ends_with(".weight")) {
      tensor.fill_(1);
    } else if (spec.shape.size() > 1 && !spec.name.ends_with(".bias")) {
      double deviation = 0.8 / std::sqrt(static_cast<double>(spec.shape.back()));
      if (spec.name.ends_with(names.decoder.output) || spec.name.ends_with(names.decoder.down)) {
        deviation *= into_residual;
      } else if (spec.name == names.head) {
        deviation *= 0.1;
      }
      tensor.normal_(0, deviation, generator);
    }
    if (model.matrix_type != model.weight_type) {
      tensor = tensor.to(stored_type(family, model, spec.name, spec.shape));
    }
    tensors.set(spec.name, tensor);
  }
  return tensors;
}

}  // namespace kvscope::next_token
