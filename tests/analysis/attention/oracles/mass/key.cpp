#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_key(const NaiveRecording& seen, const Where& where) {
  double mass = 0;
  seen.each_line(where("layer"), where("head"), where("step"),
                 [&](const NaiveLine& line) { mass += line.weights[where("key")]; });
  return mass / group_of(seen) / seen.image_count();
}

}  // namespace kvscope
