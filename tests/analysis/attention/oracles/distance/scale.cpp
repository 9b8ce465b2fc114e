#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_distance_scale(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(where("layer"), where("head"), where("step"), [&](const NaiveLine& line) {
    double scales = 0;
    for (int64_t on = 0; on < where("step"); ++on) {
      scales += mass_on_step(seen, line, on) * static_cast<double>(where("step") - on);
    }
    mean.add(scales);
  });
  return mean.value();
}

}  // namespace kvscope
