#include "experiments/verify/metrics/formula_weights.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/split_mix.h"

namespace kvscope::verify {
namespace {

enum class Fill { kConvolution, kBias, kScale, kShift, kHead };

Fill fill_of(const std::string& name) {
  if (name.starts_with("lpips.")) return Fill::kHead;
  if (name.ends_with(".bn.weight") || name.ends_with(".running_var")) return Fill::kScale;
  if (name.ends_with(".bn.bias") || name.ends_with(".running_mean")) return Fill::kShift;
  return name.ends_with(".bias") ? Fill::kBias : Fill::kConvolution;
}

float inputs_scale(const std::vector<int64_t>& shape) {
  int64_t inputs = 1;
  for (size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  return static_cast<float>(std::sqrt(6.0 / static_cast<double>(inputs)));
}

}  // namespace

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
  }
  return hash;
}

uint64_t formula_bits(uint64_t hash, uint64_t index) {
  return split_mix_finaliser(hash + index * kSplitMixIncrement);
}

at::Tensor formula_tensor(const std::string& name, const std::vector<int64_t>& shape) {
  const Fill fill = fill_of(name);
  const float scale = fill == Fill::kConvolution ? inputs_scale(shape) : 0;
  const uint64_t hash = fnv1a(name);
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* values = tensor.mutable_data_ptr<float>();
  const auto count = static_cast<uint64_t>(tensor.numel());
  for (uint64_t i = 0; i < count; ++i) {
    const float share = static_cast<float>(formula_bits(hash, i) >> 40) / 16777216.0F;
    const float value = 2 * share - 1;
    switch (fill) {
      case Fill::kConvolution:
        values[i] = value * scale;
        break;
      case Fill::kBias:
        values[i] = value * 0.05F;
        break;
      case Fill::kScale:
        values[i] = 1 + value * 0.25F;
        break;
      case Fill::kShift:
        values[i] = value * 0.125F;
        break;
      case Fill::kHead:
        values[i] = share;
        break;
    }
  }
  return tensor;
}

TensorMap formula_weights(const std::vector<WeightSpec>& specs,
                          const std::function<std::string(const std::string&)>& full_name) {
  TensorMap weights;
  for (const WeightSpec& spec : specs) {
    if (spec.buffer) continue;
    weights.set(spec.name, formula_tensor(full_name(spec.name), spec.shape));
  }
  return weights;
}

}  // namespace kvscope::verify
