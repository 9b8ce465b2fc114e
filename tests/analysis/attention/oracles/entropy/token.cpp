#include "tests/analysis/attention/oracles/entropy.h"

namespace kvscope {

double oracle_entropy_token(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_line(where("layer"), where("head"), where("step"), [&](const NaiveLine& line) {
    if (line.query == where("query")) mean.add(naive_entropy(line));
  });
  return mean.value();
}

}  // namespace kvscope
