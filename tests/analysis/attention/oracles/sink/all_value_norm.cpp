#include "tests/analysis/attention/oracles/sinks.h"

namespace kvscope {

double oracle_sink_all_value_norm(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  if (!seen.attends(where("step"))) return 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    for (const int64_t key :
         keys_seen(seen, generation, row, where("layer"), where("head"), where("step"))) {
      mean.add(naive_value_norm(seen, generation, row, where("layer"), where("head"), key));
    }
  });
  return mean.value();
}

}  // namespace kvscope
