#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_similarity_pattern(const NaiveRecording& seen, const Where& where) {
  const int64_t first = where("first_step");
  if (first == 0) return 0;
  // The scale or line before: of a line, as many steps as make a line.
  const StepInfo& before = seen.steps()[static_cast<size_t>(first) - 1];
  if (before.kind == StepKind::kPrefill) return 0;
  const int64_t earlier =
      before.kind == StepKind::kScale ? first - 1 : first - seen.geometry.line_tokens;
  const StepInfo& start = seen.steps()[static_cast<size_t>(earlier)];
  const int64_t keys = start.first_token + start.queries();
  Mean mean;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const auto pattern = [&](int64_t begin, int64_t last) {
      at::Tensor sum = at::zeros({keys}, at::kDouble);
      for (int64_t step = begin; step <= last; ++step) {
        seen.each_line(generation, row, where("layer"), where("head"), step,
                       [&](const NaiveLine& line) {
                         for (int64_t key = 0; key < keys; ++key) sum[key] += line.weights[key];
                       });
      }
      return sum;
    };
    const at::Tensor one = pattern(earlier, first - 1);
    const at::Tensor other = pattern(first, where("last_step"));
    mean.add((one.dot(other) / (one.norm() * other.norm())).nan_to_num(0).item<double>());
  });
  return mean.value();
}

}  // namespace kvscope
