#include "tests/analysis/attention/oracles/sinks.h"

namespace kvscope {

double oracle_sink_keys(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  if (!seen.attends(where("step"))) return 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    mean.add(static_cast<double>(
        naive_sinks(seen, generation, row, where("layer"), where("head"), where("step")).size()));
  });
  return mean.value();
}

}  // namespace kvscope
