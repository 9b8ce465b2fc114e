#include "core/models/next_token/sample.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/device/work_profile.h"
#include "core/models/sampling.h"

namespace kvscope::next_token {

at::Tensor keep_likely(const at::Tensor& logits, const Sampling& sampling) {
  constexpr float kDropped = -std::numeric_limits<float>::infinity();
  at::Tensor kept = logits.to(at::kFloat) / std::max(sampling.temperature, 1e-5);
  const int64_t classes = logits.size(-1);
  if (sampling.top_k > 0 && sampling.top_k < classes) {
    const at::Tensor lowest =
        std::get<0>(kept.topk(sampling.top_k, -1)).narrow(-1, sampling.top_k - 1, 1);
    kept = kept.masked_fill(kept < lowest, kDropped);
  }
  if (sampling.top_p > 0 && sampling.top_p < 1) {
    const auto [sorted, order] = kept.sort(-1, /*descending=*/true);
    const at::Tensor probabilities = at::softmax(sorted, -1);
    at::Tensor drop = probabilities.cumsum(-1).narrow(-1, 0, classes - 1) > sampling.top_p;
    drop = at::constant_pad_nd(drop, {1, 0}, false);
    kept = kept.masked_fill(at::zeros_like(drop).scatter(-1, order, drop), kDropped);
  }
  return kept;
}

at::Tensor sample_tokens(const at::Tensor& logits,
                         const Sampling& sampling,
                         std::span<at::Generator> generators) {
  const WorkMark mark(WorkMark::kSampling);
  if (sampling.greedy) return logits.argmax(-1);
  const at::Tensor probabilities = at::softmax(keep_likely(logits, sampling), -1);
  std::vector<at::Tensor> tokens;
  for (int64_t image = 0; image < logits.size(0); ++image) {
    tokens.push_back(
        sample_classes(probabilities.narrow(0, image, 1), generators[static_cast<size_t>(image)]));
  }
  return at::cat(tokens);
}

}  // namespace kvscope::next_token
