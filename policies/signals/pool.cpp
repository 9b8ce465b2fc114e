#include "policies/signals/pool.h"

#include <ATen/ATen.h>
#include <fmt/core.h>

#include "core/base/error.h"

namespace kvscope {

at::Tensor pool_tokens(const at::Tensor& scores, PoolKind kind, int64_t kernel) {
  if (kernel == 1 || scores.size(-1) == 0) {
    return scores;
  }
  const at::Tensor flat = scores.reshape({-1, 1, scores.size(-1)});
  const at::Tensor pooled = kind == PoolKind::kMaximum
                                ? at::max_pool1d(flat, kernel, 1, kernel / 2)
                                : at::avg_pool1d(flat, kernel, 1, kernel / 2);
  return pooled.reshape(scores.sizes());
}

int64_t pool_kernel(Options& options, int64_t default_value) {
  const int64_t kernel = options.integer({.key = "kernel",
                                          .default_value = default_value,
                                          .min = 1,
                                          .unit = "tokens",
                                          .help = "neighbouring tokens pooled, odd"});
  if (kernel % 2 == 0) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: {} is even; nearest feasible: {}",
                                                options.place("kernel"), kernel, kernel + 1));
  }
  return kernel;
}

}  // namespace kvscope
