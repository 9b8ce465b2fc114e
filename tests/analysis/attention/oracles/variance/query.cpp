#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_variance_query(const NaiveRecording& seen, const Where& where) {
  const int64_t last = std::ssize(seen.steps()) - 1;
  Mean variance;  // of each query head of each image
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    std::map<int64_t, std::vector<const double*>> lines;  // by query head
    int64_t keys = 0;
    seen.each_line(generation, row, where("layer"), where("head"), last,
                   [&](const NaiveLine& line) {
                     lines[line.query_head].push_back(line.weights);
                     keys = line.keys;
                   });
    for (const auto& [query_head, of_head] : lines) {
      double sum = 0;
      for (int64_t key = 0; key < keys; ++key) {
        Mean mean;
        for (const double* line : of_head) mean.add(line[key]);
        Mean spread;
        for (const double* line : of_head) spread.add(std::pow(line[key] - mean.value(), 2));
        sum += spread.value();
      }
      variance.add(sum);
    }
  });
  return variance.value();
}

}  // namespace kvscope
