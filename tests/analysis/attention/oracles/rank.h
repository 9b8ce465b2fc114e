#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Mean over query heads and images of `rank`(singular values of the outputs of the sampled queries
/// of the steps first to last), computed from the whole map and all values.
template <class Rank>
double naive_rank(const NaiveRecording& seen, const Where& where, const Rank& rank) {
  Mean mean;
  const auto layer = static_cast<size_t>(where("layer"));
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    std::map<int64_t, std::vector<at::Tensor>> outputs;  // by query head
    for (int64_t step = where("first_step"); step <= where("last_step"); ++step) {
      std::vector<at::Tensor> values;
      for (int64_t from = 0; from <= step; ++from) {
        values.push_back(generation[static_cast<size_t>(from)][layer].v[row][where("head")]);
      }
      const at::Tensor all = at::cat(values);
      seen.each_line(
          generation, row, where("layer"), where("head"), step,
          [&](const NaiveLine& line) {
            at::Tensor output = at::zeros({all.size(1)}, at::kDouble);
            for (int64_t key = 0; key < line.keys; ++key) output += line.weights[key] * all[key];
            outputs[line.query_head].push_back(output);
          },
          seen.options.sampled_queries);
    }
    for (const auto& [query_head, lines] : outputs) {
      const at::Tensor singular = at::linalg_svdvals(at::stack(lines)).contiguous();
      mean.add(rank(std::vector<double>(singular.const_data_ptr<double>(),
                                        singular.const_data_ptr<double>() + singular.numel())));
    }
  });
  return mean.value();
}

}  // namespace kvscope
