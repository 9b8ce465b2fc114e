#include "tests/analysis/attention/oracles/last_queries.h"

namespace kvscope {

double oracle_entropy_window(const NaiveRecording& seen, const Where& where) {
  double sum = 0;
  each_last_queries(seen, where("layer"), [&](const std::vector<std::vector<double>>& lines) {
    for (const auto& line : lines) {
      for (const double weight : line) sum -= weight * std::log(weight + 1e-10);
    }
  });
  return sum / seen.image_count();
}

}  // namespace kvscope
