#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_offset(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  const int64_t condition = seen.steps().front().queries();
  for (int64_t step = 1; step <= last_attending_step(seen.steps()); ++step) {
    seen.each_line(where("layer"), where("head"), step, [&](const NaiveLine& line) {
      const int64_t query = line.keys - 1;
      double mass = 0;
      for (int64_t key = condition; key <= query; ++key) {
        const int64_t line_tokens = seen.geometry.line_tokens;
        const int64_t above = (query - condition) / line_tokens - (key - condition) / line_tokens;
        const int64_t beside = (key - condition) % line_tokens - (query - condition) % line_tokens;
        if (above == where("lines_above") && beside == where("columns_beside")) {
          mass += line.weights[key];
        }
      }
      mean.add(mass);
    });
  }
  return mean.value();
}

}  // namespace kvscope
