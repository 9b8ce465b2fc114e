#include "core/models/next_scale/sample.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>
#include <vector>

#include "core/base/error.h"
#include "core/device/work_profile.h"
#include "core/models/sampling.h"

namespace kvscope {

at::Tensor keep_likely(const at::Tensor& logits, int64_t top_k, double top_p) {
  constexpr float kDropped = -std::numeric_limits<float>::infinity();
  at::Tensor kept = logits;
  const int64_t classes = logits.size(-1);
  if (top_k > 0 && top_k < classes) {
    const at::Tensor lowest = std::get<0>(kept.topk(top_k, -1)).narrow(-1, top_k - 1, 1);
    kept = kept.masked_fill(kept < lowest, kDropped);
  }
  if (top_p > 0 && top_p < 1) {
    const auto [sorted, order] = kept.sort(-1, /*descending=*/false);
    at::Tensor drop = at::softmax(sorted, -1).cumsum(-1) <= 1 - top_p;
    drop.narrow(-1, classes - 1, 1).fill_(false);
    kept = kept.masked_fill(drop.scatter(-1, order, drop), kDropped);
  }
  return kept;
}

at::Tensor sample_rows(const at::Tensor& probabilities, std::span<at::Generator> generators) {
  std::vector<at::Tensor> sampled;
  for (int64_t image = 0; image < probabilities.size(0); ++image) {
    sampled.push_back(sample_classes(probabilities[image], generators[static_cast<size_t>(image)]));
  }
  return at::stack(sampled);
}

at::Tensor sample(const at::Tensor& logits,
                  int64_t top_k,
                  double top_p,
                  std::span<at::Generator> generators) {
  const WorkMark mark(WorkMark::kSampling);
  return sample_rows(at::softmax(keep_likely(logits, top_k, top_p), -1), generators);
}

void check_finite(const at::Tensor& logits, const StepInfo& step) {
  if (at::isfinite(logits).all().item<bool>()) return;
  throw Error(
      ErrorKind::kNumerics,
      fmt::format("logits of scale {} ({} x {}) are NaN or infinite; expected finite numbers. Are "
                  "the weights damaged, or is the precision too low for them?",
                  step.index, step.grid_height, step.grid_width));
}

}  // namespace kvscope
