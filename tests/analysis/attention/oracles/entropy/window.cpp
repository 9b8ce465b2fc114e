#include "tests/analysis/attention/oracles/last_queries.h"

namespace kvscope {

double oracle_entropy_window(const NaiveRecording& seen, const Where& where) {
  double sum = 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    for (int64_t head = 0; head < seen.geometry.heads; ++head) {
      for (int64_t g = 0; g < seen.geometry.query_heads / seen.geometry.heads; ++g) {
        const auto lines = last_queries(seen, generation, seen.scale, where("layer"), row, head, g);
        for (const auto& line : lines) {
          for (const double weight : line) sum -= weight * std::log(weight + 1e-10);
        }
      }
    }
  });
  return sum / seen.image_count();
}

}  // namespace kvscope
