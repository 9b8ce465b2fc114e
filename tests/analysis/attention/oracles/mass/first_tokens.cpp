#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_first_tokens(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(where("layer"), where("head"), where("step"), [&](const NaiveLine& line) {
    double mass = 0;
    const int64_t begin = seen.padding_of(line.row);
    for (int64_t key = begin; key < std::min(line.keys, begin + where("first_tokens")); ++key) {
      mass += line.weights[key];
    }
    mean.add(mass);
  });
  return mean.value();
}

}  // namespace kvscope
