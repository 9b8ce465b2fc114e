#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_step_variance(const NaiveRecording& seen, const Where& where) {
  std::vector<double> masses;  // of every image
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    masses.push_back(0);
    seen.each_line(generation, row, where("layer"), where("head"), where("step"),
                   [&](const NaiveLine& line) {
                     masses.back() += mass_on_step(seen, line, where("on_step")) /
                                      queries_of(seen, where("step")) / group_of(seen);
                   });
  });
  Mean mean;
  for (const double mass : masses) mean.add(mass);
  Mean variance;
  for (const double mass : masses) variance.add(std::pow(mass - mean.value(), 2));
  return variance.value();
}

}  // namespace kvscope
