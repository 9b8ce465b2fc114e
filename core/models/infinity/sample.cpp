#include "core/models/infinity/sample.h"

#include <ATen/ATen.h>

#include <limits>
#include <vector>

namespace kvscope::infinity {

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

at::Tensor sample_bits(const at::Tensor& logits,
                       int64_t top_k,
                       double top_p,
                       std::span<at::Generator> generators) {
  const at::Tensor pairs = logits.unflatten(-1, {-1, 2});  // [B, tokens, d, 2]
  const at::Tensor probabilities = at::softmax(keep_likely(pairs, top_k, top_p), -1);
  std::vector<at::Tensor> bits;
  for (int64_t image = 0; image < logits.size(0); ++image) {
    const at::Tensor rows = probabilities[image].reshape({-1, 2});
    const at::Tensor draw =
        at::multinomial(rows, 1, /*replacement=*/true, generators[static_cast<size_t>(image)]);
    bits.push_back(draw.view({pairs.size(1), pairs.size(2)}).to(at::kByte));
  }
  return at::stack(bits);
}

}  // namespace kvscope::infinity
