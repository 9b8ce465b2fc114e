#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_s_cas(const NaiveRecording& seen, const Where& where) {
  Mean targets;
  for (int64_t target = where("on_step") + 1; target < std::ssize(seen.steps()); ++target) {
    Mean mass;
    seen.each_line(where("layer"), where("head"), target, [&](const NaiveLine& line) {
      mass.add(mass_on_step(seen, line, where("on_step")));
    });
    targets.add(mass.value());
  }
  return targets.value();
}

}  // namespace kvscope
