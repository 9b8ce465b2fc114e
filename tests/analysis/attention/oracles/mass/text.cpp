#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_text(const NaiveRecording& seen, const Where& where) {
  if (seen.steps()[static_cast<size_t>(where("step"))].kind == StepKind::kPrefill) return 0;
  Mean mean;
  seen.each_line(where("layer"), where("head"), where("step"),
                 [&](const NaiveLine& line) { mean.add(mass_on_step(seen, line, 0)); });
  return mean.value();
}

}  // namespace kvscope
