#include "tests/analysis/attention/oracles/last_queries.h"

namespace kvscope {

double oracle_variance_window(const NaiveRecording& seen, const Where& where) {
  double sum = 0;
  each_last_queries(seen, where("layer"), [&](const std::vector<std::vector<double>>& lines) {
    for (size_t key = 0; lines.size() > 1 && key < lines.front().size(); ++key) {
      Mean mean;
      for (const auto& line : lines) mean.add(line[key]);
      for (const auto& line : lines) {
        sum += std::pow(line[key] - mean.value(), 2) / static_cast<double>(lines.size() - 1);
      }
    }
  });
  return sum / seen.image_count();
}

}  // namespace kvscope
