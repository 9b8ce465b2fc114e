#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_covering_keys(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) {
        std::vector<double> weights(line.weights, line.weights + line.keys);
        std::ranges::sort(weights, std::greater{});
        double mass = 0;
        int64_t keys = 0;
        while (mass < 0.9) mass += weights[static_cast<size_t>(keys++)];
        mean.add(static_cast<double>(keys));
      },
      seen.options.sampled_queries);
  return mean.value();
}

}  // namespace kvscope
