#include "tests/analysis/attention/oracles/entropy.h"

namespace kvscope {

double oracle_entropy_query(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) { mean.add(naive_entropy(line)); }, seen.options.sampled_queries);
  return mean.value();
}

}  // namespace kvscope
