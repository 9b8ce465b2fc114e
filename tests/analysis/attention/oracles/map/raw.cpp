#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_map_raw(const NaiveRecording& seen, const Where& where) {
  const NaiveGeneration& first = seen.generations.front();
  double mass = 0;
  seen.each_line(first, 0, where("layer"), where("head"), where("step"),
                 [&](const NaiveLine& line) {
                   if (line.query == where("query") && where("key") < line.keys) {
                     mass += line.weights[where("key")];
                   }
                 });
  return mass / group_of(seen);
}

}  // namespace kvscope
