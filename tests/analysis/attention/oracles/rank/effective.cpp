#include "tests/analysis/attention/oracles/rank.h"

namespace kvscope {

double oracle_rank_effective(const NaiveRecording& seen, const Where& where) {
  return naive_rank(seen, where, [](const std::vector<double>& singular) {
    double sum = 0;
    for (const double value : singular) sum += value;
    double entropy = 0;
    for (const double value : singular) {
      if (value > 0) entropy -= value / sum * std::log(value / sum);
    }
    return std::exp(entropy);
  });
}

}  // namespace kvscope
