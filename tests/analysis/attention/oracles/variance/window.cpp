#include "tests/analysis/attention/oracles/last_queries.h"

namespace kvscope {

double oracle_variance_window(const NaiveRecording& seen, const Where& where) {
  double sum = 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    for (int64_t head = 0; head < seen.geometry.heads; ++head) {
      for (int64_t g = 0; g < seen.geometry.query_heads / seen.geometry.heads; ++g) {
        const auto lines = last_queries(seen, generation, seen.scale, where("layer"), row, head, g);
        for (size_t key = 0; lines.size() > 1 && key < lines.front().size(); ++key) {
          Mean mean;
          for (const auto& line : lines) mean.add(line[key]);
          for (const auto& line : lines) {
            sum += std::pow(line[key] - mean.value(), 2) / static_cast<double>(lines.size() - 1);
          }
        }
      }
    }
  });
  return sum / seen.image_count();
}

}  // namespace kvscope
