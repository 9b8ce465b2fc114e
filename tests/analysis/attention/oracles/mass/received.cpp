#include "tests/analysis/attention/oracles/sinks.h"

namespace kvscope {

double oracle_mass_received(const NaiveRecording& seen, const Where& where) {
  Mean received;
  for (int64_t step = 0; step < std::ssize(seen.steps()); ++step) {
    seen.each_line(where("layer"), where("head"), step,
                   [&](const NaiveLine& line) { add_received(line, where("key"), received); });
  }
  return received.value();
}

}  // namespace kvscope
