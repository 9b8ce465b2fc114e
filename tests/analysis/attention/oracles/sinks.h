#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Adds what the key receives from a line, of the line sees it.
inline void add_received(const NaiveLine& line, int64_t key, Mean& received) {
  if (key >= line.keys || !line.step.sees[line.row][line.head][line.query][key].item<bool>())
    return;
  received.add(line.weights[key]);
}

/// Keys that the step sees.
inline std::vector<int64_t> keys_seen(const NaiveRecording& /*seen*/,
                                      const NaiveGeneration& generation,
                                      int64_t row,
                                      int64_t layer,
                                      int64_t head,
                                      int64_t step) {
  const at::Tensor sees =
      generation[static_cast<size_t>(step)][static_cast<size_t>(layer)].sees[row][head].any(0);
  std::vector<int64_t> keys;
  for (int64_t key = 0; key < sees.size(0); ++key) {
    if (sees[key].item<bool>()) keys.push_back(key);
  }
  return keys;
}

/// Those that received more than 5 / n of every query that saw them up to the step, n of them.
inline std::vector<int64_t> naive_sinks(const NaiveRecording& seen,
                                        const NaiveGeneration& generation,
                                        int64_t row,
                                        int64_t layer,
                                        int64_t head,
                                        int64_t step) {
  const std::vector<int64_t> keys = keys_seen(seen, generation, row, layer, head, step);
  std::vector<int64_t> sinks;
  for (const int64_t key : keys) {
    Mean received;
    for (int64_t earlier = 0; earlier <= step; ++earlier) {
      seen.each_line(generation, row, layer, head, earlier,
                     [&](const NaiveLine& line) { add_received(line, key, received); });
    }
    if (received.value() > 5.0 / static_cast<double>(keys.size())) sinks.push_back(key);
  }
  return sinks;
}

/// Norm of the value at a position of the generation.
inline double naive_value_norm(const NaiveRecording& seen,
                               const NaiveGeneration& generation,
                               int64_t row,
                               int64_t layer,
                               int64_t head,
                               int64_t position) {
  for (const StepInfo& info : seen.steps()) {
    if (position >= info.first_token + info.queries()) continue;
    const NaiveStep& step = generation[static_cast<size_t>(info.index)][static_cast<size_t>(layer)];
    return step.v[row][head][position - info.first_token].norm().item<double>();
  }
  return 0;
}

}  // namespace kvscope
