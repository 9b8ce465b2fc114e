#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_top(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) {
        std::vector<double> weights(line.weights, line.weights + line.keys);
        std::ranges::sort(weights, std::greater{});
        double mass = 0;
        for (int64_t i = 0; i < std::min(seen.options.top_keys, line.keys); ++i) mass += weights[i];
        mean.add(mass);
      },
      seen.options.sampled_queries);
  return mean.value();
}

}  // namespace kvscope
