#include "tests/analysis/attention/oracles/full_attention.h"

namespace kvscope {

double oracle_loss_retained_mass(const NaiveRecording& seen, const Where& where) {
  if (!seen.attends(where("step"))) return 0;
  Mean mean;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const at::Tensor full = naive_full_attention(seen, generation, row, where).weights;
    const NaiveStep& step =
        generation[static_cast<size_t>(where("step"))][static_cast<size_t>(where("layer"))];
    const at::Tensor sees = step.sees[row][where("head")].to(at::kDouble);  // [queries, keys]
    mean.add((full * sees).sum().item<double>(), full.sum().item<double>());
  });
  return mean.value();
}

}  // namespace kvscope
