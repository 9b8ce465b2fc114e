#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/config/options.h"

namespace kvscope {

enum class PoolKind { kAverage, kMaximum };

/// Smooths `scores` [..., tokens] along tokens: stride 1, `kernel` odd, kernel / 2 tokens of
/// padding a side. The average counts padding as zeros and divides by `kernel`; the maximum ignores
/// it. This is what SnapKV and ScaleKV do.
at::Tensor pool_tokens(const at::Tensor& scores, PoolKind kind, int64_t kernel);

/// Option `kernel`: an odd number of tokens, so that a score stays at its token.
int64_t pool_kernel(Options& options, int64_t default_value);

}  // namespace kvscope
