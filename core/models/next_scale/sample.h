#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "core/engine/step.h"

namespace kvscope {

/// Drops what sampling must not pick (sets it to -inf). `logits` [..., classes] fp32. top_k <= 0
/// and top_p >= 1 drop nothing. top-k drops what is strictly below the k-th largest; then top-p
/// drops, in ascending order, what accumulates to at most 1 - p, never the largest.
at::Tensor keep_likely(const at::Tensor& logits, int64_t top_k, double top_p);

/// One class per row: `probabilities` [B, rows, classes] -> int64 [B, rows]. Image b samples from
/// generators[b] alone, row after row (sample_classes), so that the result does not depend on the
/// batch it is in.
at::Tensor sample_rows(const at::Tensor& probabilities, std::span<at::Generator> generators);

/// keep_likely(), softmax and sample_rows() of `logits` [B, rows, classes] -> int64 [B, rows].
at::Tensor sample(const at::Tensor& logits,
                  int64_t top_k,
                  double top_p,
                  std::span<at::Generator> generators);

/// Throws Error(kNumerics) naming the scale where a logit is NaN or infinite.
void check_finite(const at::Tensor& logits, const StepInfo& step);

}  // namespace kvscope
