#include "tests/analysis/attention/oracles/entropy.h"

namespace kvscope {

double oracle_entropy_query_variance(const NaiveRecording& seen, const Where& where) {
  Mean variance;  // of each query head of each image
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    std::map<int64_t, std::vector<double>> entropies;  // by query head
    seen.each_line(
        generation, row, where("layer"), where("head"), where("step"),
        [&](const NaiveLine& line) { entropies[line.query_head].push_back(naive_entropy(line)); },
        seen.options.sampled_queries);
    for (const auto& [query_head, of_head] : entropies) {
      Mean mean;
      for (const double entropy : of_head) mean.add(entropy);
      Mean spread;
      for (const double entropy : of_head) spread.add(std::pow(entropy - mean.value(), 2));
      variance.add(spread.value());
    }
  });
  return variance.value();
}

}  // namespace kvscope
