#include "tests/analysis/attention/oracles/sinks.h"

namespace kvscope {

double oracle_sink_mass(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  if (!seen.attends(where("step"))) return 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const auto sinks =
        naive_sinks(seen, generation, row, where("layer"), where("head"), where("step"));
    seen.each_line(generation, row, where("layer"), where("head"), where("step"),
                   [&](const NaiveLine& line) {
                     double mass = 0;
                     for (const int64_t sink : sinks) mass += line.weights[sink];
                     mean.add(mass);
                   });
  });
  return mean.value();
}

}  // namespace kvscope
