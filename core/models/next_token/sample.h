#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace kvscope::next_token {

/// How a token is sampled from its logits, in this order.
struct Sampling {
  double temperature = 1.0;  ///< logits are divided by it; at least 1e-5
  int64_t top_k = 0;         ///< 0: all
  double top_p = 1.0;        ///< 1, or 0: all
  bool greedy = false;       ///< the most likely token; the others have no effect
};

/// Divides by the temperature and sets to -inf what must not be sampled. `logits` [..., V] fp32.
/// top-k drops what is strictly below the k-th largest, so ties stay; top-p then drops, in
/// descending order, what follows once more than p has accumulated, never the first.
at::Tensor keep_likely(const at::Tensor& logits, const Sampling& sampling);

/// One token per image: `logits` [B, V] -> int64 [B]. Image b samples from generators[b] alone
/// (sample_classes), so the result does not depend on the batch it is in.
at::Tensor sample_tokens(const at::Tensor& logits,
                         const Sampling& sampling,
                         std::span<at::Generator> generators);

}  // namespace kvscope::next_token
