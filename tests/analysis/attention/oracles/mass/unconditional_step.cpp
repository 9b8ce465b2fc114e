#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_unconditional_step(const NaiveRecording& seen, const Where& where) {
  double mass = 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t image) {
    seen.each_line(
        generation, seen.images + image, where("layer"), where("head"), where("step"),
        [&](const NaiveLine& line) { mass += mass_on_step(seen, line, where("on_step")); });
  });
  return mass / queries_of(seen, where("step")) / group_of(seen) / seen.image_count();
}

}  // namespace kvscope
