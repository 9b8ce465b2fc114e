#include "core/models/infinity/sample.h"

#include <ATen/ATen.h>

#include "core/models/next_scale/sample.h"

namespace kvscope::infinity {

at::Tensor sample_bits(const at::Tensor& logits,
                       int64_t top_k,
                       double top_p,
                       std::span<at::Generator> generators) {
  const at::Tensor pairs = logits.unflatten(-1, {-1, 2});  // [B, tokens, d, 2]
  return sample(pairs.flatten(1, 2), top_k, top_p, generators)
      .view({pairs.size(0), pairs.size(1), pairs.size(2)})
      .to(at::kByte);
}

}  // namespace kvscope::infinity
