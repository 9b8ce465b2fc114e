#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// What a head's queries pay with a full cache, [group, queries, keys], and the values of all keys,
/// [keys, head_dim]. Padding is paid nothing, and padding queries pay nothing.
struct NaiveFullAttention {
  at::Tensor weights;
  at::Tensor values;
};

inline NaiveFullAttention naive_full_attention(const NaiveRecording& seen,
                                               const NaiveGeneration& generation,
                                               int64_t row,
                                               const Where& where) {
  const int64_t index = where("step");
  const auto layer = static_cast<size_t>(where("layer"));
  std::vector<at::Tensor> keys;
  std::vector<at::Tensor> values;
  for (int64_t step = 0; step <= index; ++step) {
    keys.push_back(generation[static_cast<size_t>(step)][layer].k[row][where("head")]);
    values.push_back(generation[static_cast<size_t>(step)][layer].v[row][where("head")]);
  }
  const StepInfo& step = seen.steps()[static_cast<size_t>(index)];
  const at::Tensor q = generation[static_cast<size_t>(index)][layer].q[row][where("head")];
  at::Tensor scores = at::matmul(q, at::cat(keys).t()) * seen.scale;
  for (int64_t query = 0; query < step.queries(); ++query) {
    at::Tensor line = scores.select(1, query);
    line.slice(1, 0, seen.padding_of(row)).fill_(-INFINITY);
    if (step.kind == StepKind::kPrefill) line.slice(1, query + 1).fill_(-INFINITY);
    if (step.first_token + query < seen.padding_of(row)) line.fill_(-INFINITY);
  }
  return {.weights = at::softmax(scores, -1).nan_to_num(0), .values = at::cat(values)};
}

}  // namespace kvscope
