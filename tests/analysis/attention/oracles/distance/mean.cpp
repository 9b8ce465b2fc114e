#include "tests/analysis/attention/oracles/places.h"

namespace kvscope {

double oracle_distance_mean(const NaiveRecording& seen, const Where& where) {
  const StepInfo& info = seen.steps()[static_cast<size_t>(where("step"))];
  if (info.kind == StepKind::kPrefill) return 0;
  Mean mean;
  const auto apart = [](int64_t a, int64_t n, int64_t b, int64_t m) {
    return static_cast<double>(exact_distance(a, n, b, m)) / static_cast<double>(2 * n * m);
  };
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) {
        const NaivePlace query = naive_place(seen, info.first_token + line.query);
        for (int64_t key = 0; key < line.keys; ++key) {
          const NaivePlace place = naive_place(seen, key);
          if (!place.in_image) continue;
          const double y = apart(query.row, query.rows, place.row, place.rows);
          const double x = apart(query.column, query.columns, place.column, place.columns);
          mean.add(line.weights[key] * std::sqrt(y * y + x * x), line.weights[key]);
        }
      },
      seen.options.sampled_queries);
  return mean.value();
}

}  // namespace kvscope
