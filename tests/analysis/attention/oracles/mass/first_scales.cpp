#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_first_scales(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(where("layer"), where("head"), where("step"), [&](const NaiveLine& line) {
    double mass = 0;
    for (int64_t on = 0; on < where("first_scales"); ++on) mass += mass_on_step(seen, line, on);
    mean.add(mass);
  });
  return mean.value();
}

}  // namespace kvscope
