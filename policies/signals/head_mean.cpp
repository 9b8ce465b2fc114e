#include "policies/signals/head_mean.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "policies/slots.h"

namespace kvscope {
namespace {

/// Whether all heads of every row hold the same tokens.
bool heads_agree(const LayerStep& layer_step) {
  const KvCache& cache = *layer_step.cache;
  for (int64_t row = 0; row < layer_step.k.size(0); ++row) {
    const auto first = cache.origins(layer_step.layer, row, 0);
    for (int64_t head = 1; head < layer_step.k.size(1); ++head) {
      if (!std::ranges::equal(first, cache.origins(layer_step.layer, row, head))) return false;
    }
  }
  return true;
}

TokenView view_of(const LayerStep& layer_step, int64_t row, int64_t head) {
  return {.geometry = layer_step.cache->plan().geometry(),
          .step = layer_step.step,
          .history = layer_step.cache->origins(layer_step.layer, row, head),
          .window = {}};
}

/// Adds up by position, as a token has another index in every head.
at::Tensor mean_by_position(const LayerStep& layer_step, const at::Tensor& packed) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = max_tokens(layer_step);
  const StepInfo& step = layer_step.step;
  const at::Tensor lines = packed.to(at::kCPU).contiguous();
  at::Tensor result = at::zeros({rows, heads, most}, at::kFloat);
  const auto* value = lines.const_data_ptr<float>();
  auto* out = result.mutable_data_ptr<float>();
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<double> at_position(static_cast<size_t>(step.first_token + step.queries()), 0.0);
    for (int64_t head = 0; head < heads; ++head) {
      const TokenView view = view_of(layer_step, row, head);
      for (int64_t token = 0; token < view.available(); ++token) {
        at_position[static_cast<size_t>(view.padded_position(token))] += *value++;
      }
    }
    for (int64_t head = 0; head < heads; ++head, out += most) {
      const TokenView view = view_of(layer_step, row, head);
      for (int64_t token = 0; token < view.available(); ++token) {
        out[token] =
            static_cast<float>(at_position[static_cast<size_t>(view.padded_position(token))] /
                               static_cast<double>(heads));
      }
    }
  }
  return result.to(packed.device());
}

}  // namespace

at::Tensor mean_over_heads(const LayerStep& layer_step, const at::Tensor& packed) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  if (packed.numel() != rows * heads * max_tokens(layer_step) || !heads_agree(layer_step)) {
    return mean_by_position(layer_step, packed);
  }
  // In double, so that the mean does not depend on the order of the heads.
  const at::Tensor lines = packed.view({rows, heads, -1});
  return lines.mean(1, true, at::kDouble).to(at::kFloat).expand_as(lines);
}

}  // namespace kvscope
