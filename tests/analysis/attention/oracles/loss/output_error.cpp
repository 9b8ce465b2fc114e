#include "tests/analysis/attention/oracles/full_attention.h"

namespace kvscope {

double oracle_loss_output_error(const NaiveRecording& seen, const Where& where) {
  if (!seen.attends(where("step"))) return 0;
  Mean mean;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const NaiveFullAttention full = naive_full_attention(seen, generation, row, where);
    const NaiveStep& step =
        generation[static_cast<size_t>(where("step"))][static_cast<size_t>(where("layer"))];
    const at::Tensor expected = at::matmul(full.weights, full.values);
    const at::Tensor found = at::matmul(step.weights[row][where("head")], full.values);
    for (int64_t g = 0; g < expected.size(0); ++g) {
      for (int64_t query = 0; query < expected.size(1); ++query) {
        const double norm = expected[g][query].norm().item<double>();
        if (norm > 0) mean.add((found[g][query] - expected[g][query]).norm().item<double>() / norm);
      }
    }
  });
  return mean.value();
}

}  // namespace kvscope
