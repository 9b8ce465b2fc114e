#include "policies/signals/token_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "policies/slots.h"

namespace kvscope {
namespace {

/// Calls fill(line, row, head) with the line [tokens] of every (row, head), zero before.
template <class Fill>
at::Tensor marked(const LayerStep& layer_step, const Fill& fill) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  at::Tensor mask = at::zeros({rows, heads, tokens}, at::kBool);
  bool* line = mask.mutable_data_ptr<bool>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t head = 0; head < heads; ++head, line += tokens) fill(line, row, head);
  }
  return mask.to(layer_step.k.device());
}

/// `held(row, head)` [held tokens, head_dim], `current` [rows, heads, queries, head_dim].
template <class Held>
at::Tensor rows_of(const LayerStep& layer_step, const at::Tensor& current, const Held& held) {
  const int64_t rows = current.size(0);
  const int64_t heads = current.size(1);
  std::vector<at::Tensor> history;
  bool even = true;
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    history.push_back(held(slot / heads, slot % heads));
    even = even && history.back().size(0) == history.front().size(0);
  }
  if (even) {
    const at::Tensor past =
        at::stack(history).view({rows, heads, history.front().size(0), current.size(3)});
    return at::cat({past.to(at::kFloat), current.to(at::kFloat)}, 2);
  }
  at::Tensor result = at::zeros({rows, heads, max_tokens(layer_step), current.size(3)},
                                current.options().dtype(at::kFloat));
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    const at::Tensor line = result[slot / heads][slot % heads];
    const int64_t length = history[slot].size(0);
    line.narrow(0, 0, length).copy_(history[slot]);
    line.narrow(0, length, current.size(2)).copy_(current[slot / heads][slot % heads]);
  }
  return result;
}

}  // namespace

at::Tensor key_rows(const LayerStep& layer_step) {
  return rows_of(layer_step, layer_step.k, [&](int64_t row, int64_t head) {
    return layer_step.cache->keys(layer_step.layer, row, head);
  });
}

at::Tensor value_rows(const LayerStep& layer_step) {
  return rows_of(layer_step, layer_step.v, [&](int64_t row, int64_t head) {
    return layer_step.cache->values(layer_step.layer, row, head);
  });
}

at::Tensor token_positions(const LayerStep& layer_step) {
  const KvCache& cache = *layer_step.cache;
  const std::vector<StepInfo>& steps = cache.plan().geometry().steps;
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = max_tokens(layer_step);
  at::Tensor positions = at::zeros({rows, heads, most}, at::kFloat);
  auto* line = positions.mutable_data_ptr<float>();
  for (int64_t slot = 0; slot < rows * heads; ++slot, line += most) {
    float* next = line;
    for (const TokenOrigin& origin : cache.origins(layer_step.layer, slot / heads, slot % heads)) {
      *next++ = static_cast<float>(position_of(origin, steps));
    }
    std::iota(next, next + layer_step.step.queries(),
              static_cast<float>(layer_step.step.first_token));
  }
  return positions.to(layer_step.k.device());
}

at::Tensor visible_tokens(const LayerStep& layer_step) {
  const KvCache& cache = *layer_step.cache;
  return marked(layer_step, [&](bool* line, int64_t row, int64_t head) {
    const int64_t held = cache.length(layer_step.layer, row, head);
    const int64_t queries = layer_step.step.queries();
    std::fill(line + cache.padding_length(layer_step.layer, row, head), line + held, true);
    std::fill(line + held + cache.padding_of_step(layer_step.step, row), line + held + queries,
              true);
  });
}

at::Tensor first_tokens(const LayerStep& layer_step, int64_t count) {
  const KvCache& cache = *layer_step.cache;
  const std::vector<StepInfo>& steps = cache.plan().geometry().steps;
  return marked(layer_step, [&](bool* line, int64_t row, int64_t head) {
    const int64_t end = count + cache.padding(row);
    const auto origins = cache.origins(layer_step.layer, row, head);
    for (const TokenOrigin& origin : origins) {
      *line++ = position_of(origin, steps) < end;
    }
    std::fill_n(
        line, std::clamp<int64_t>(end - layer_step.step.first_token, 0, layer_step.step.queries()),
        true);
  });
}

}  // namespace kvscope
