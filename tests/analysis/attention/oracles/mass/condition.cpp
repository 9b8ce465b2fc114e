#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_condition(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  const int64_t condition = seen.steps().front().queries();
  for (int64_t step = 1; step <= last_attending_step(seen.steps()); ++step) {
    seen.each_line(where("layer"), where("head"), step, [&](const NaiveLine& line) {
      const int64_t query = line.keys - 1;
      double mass = 0;
      for (int64_t key = 0; key < condition; ++key) {
        if (query - key == where("tokens_back")) mass += line.weights[key];
      }
      mean.add(mass);
    });
  }
  return mean.value();
}

}  // namespace kvscope
