#include "tests/analysis/attention/oracles/rank.h"

namespace kvscope {

double oracle_rank_stable(const NaiveRecording& seen, const Where& where) {
  return naive_rank(seen, where, [](const std::vector<double>& singular) {
    double squares = 0;
    for (const double value : singular) squares += value * value;
    return squares / singular.front() / singular.front();
  });
}

}  // namespace kvscope
