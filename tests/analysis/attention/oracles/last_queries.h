#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// What the last queries of a row's generation, up to the options' window, pay to the tokens before
/// the window: [queries][tokens before it]. They look at what is held at the last step, up to
/// themselves, whenever they were made, and do not count where nothing of that is left; on a
/// next-scale model only those of the last scale look.
inline std::vector<std::vector<double>> last_queries(const NaiveRecording& seen,
                                                     const NaiveGeneration& generation,
                                                     int64_t layer,
                                                     int64_t row,
                                                     int64_t head,
                                                     int64_t query_head) {
  const int64_t last = last_attending_step(seen.steps());
  const StepInfo& final_step = seen.steps()[static_cast<size_t>(last)];
  const int64_t tokens = final_step.first_token + final_step.queries();
  const bool scales = final_step.kind == StepKind::kScale;
  const int64_t begin =
      std::max(scales ? final_step.first_token : int64_t{0}, tokens - seen.options.window_queries);
  const at::Tensor held =
      generation[static_cast<size_t>(last)][static_cast<size_t>(layer)].held[row][head];
  std::vector<at::Tensor> queries;  // [tokens] of [head_dim]
  std::vector<at::Tensor> keys;
  for (const auto& layers : generation) {
    const NaiveStep& step = layers[static_cast<size_t>(layer)];
    for (int64_t i = 0; i < step.k.size(2); ++i) {
      queries.push_back(step.q[row][head][query_head][i]);
      keys.push_back(step.k[row][head][i]);
    }
  }
  std::vector<std::vector<double>> lines;
  for (int64_t query = begin; query < tokens; ++query) {
    if (query < seen.padding_of(row)) continue;
    std::vector<double> line(static_cast<size_t>(tokens), 0);
    double sum = 0;
    for (int64_t key = 0; key < (scales ? tokens : query + 1); ++key) {
      if (!held[key].item<bool>()) continue;
      const double product =
          queries[static_cast<size_t>(query)].dot(keys[static_cast<size_t>(key)]).item<double>();
      sum += line[static_cast<size_t>(key)] = std::exp(seen.scale * product);
    }
    if (sum == 0) continue;  // all that it saw was dropped since
    for (double& weight : line) weight /= sum;
    line.resize(static_cast<size_t>(begin));
    lines.push_back(std::move(line));
  }
  return lines;
}

/// Calls `visit(lines)` with those of every image, head and query head of a layer.
template <class Visit>
void each_last_queries(const NaiveRecording& seen, int64_t layer, const Visit& visit) {
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    for (int64_t head = 0; head < seen.geometry.heads; ++head) {
      for (int64_t g = 0; g < seen.geometry.query_heads / seen.geometry.heads; ++g) {
        visit(last_queries(seen, generation, layer, row, head, g));
      }
    }
  });
}

}  // namespace kvscope
