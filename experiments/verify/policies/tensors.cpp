#include "experiments/verify/policies/tensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "policies/selection.h"

namespace kvscope::verify {

at::Tensor causal_window_logits(const at::Tensor& q_window, const at::Tensor& k) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const int64_t window = q_window.size(-2);
  const int64_t tokens = k.size(-2);
  // Nothing that was recorded comes near this; a damaged file asks for any product of its sizes.
  constexpr int64_t kMostLogits = int64_t{1} << 27;
  if (k.numel() / k.size(-1) > kMostLogits / window) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} window queries over {} keys make more than {} logits", window,
                            k.numel() / k.size(-1), kMostLogits));
  }
  const double scale = 1 / std::sqrt(static_cast<double>(k.size(-1)));
  const at::Tensor later =
      at::ones({window, tokens}, q_window.options().dtype(at::kBool)).triu(tokens - window + 1);
  return at::matmul(q_window, k.transpose(-2, -1)).mul_(scale).masked_fill_(later, -kInfinity);
}

at::Tensor last_tokens(int64_t tokens, int64_t window, at::Device device) {
  return at::arange(tokens, at::TensorOptions().dtype(at::kLong).device(device)) >= tokens - window;
}

at::Tensor forced_scores(const at::Tensor& scores, const at::Tensor& forced) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const at::Tensor others = scores.masked_fill(forced, -kInfinity);
  const double largest = others.numel() > 0 ? others.max().item<double>() : 0;
  return scores.masked_fill(forced, (std::isfinite(largest) ? largest : 0) + 1);
}

int64_t kvpress_tokens(int64_t tokens, double compression_ratio) {
  return static_cast<int64_t>(static_cast<double>(tokens) * (1.0 - compression_ratio));
}

KeptLists best_tokens(const PolicyCase& of,
                      const at::Tensor& scores,
                      const at::Tensor& always,
                      std::span<const int64_t> counts) {
  const int64_t tokens = scores.size(-1);
  const at::Tensor values = scores.to(at::kCPU, at::kFloat).contiguous();
  if (values.isnan().any().item<bool>()) of.fail("its inputs give scores that are not numbers");
  const at::Tensor stays =
      (always.defined() ? always.expand(scores.sizes()) : at::zeros(scores.sizes(), at::kBool))
          .to(at::kCPU, at::kByte)
          .contiguous();
  const int64_t lines = tokens > 0 ? values.numel() / tokens : 0;
  KeptLists kept;
  for (int64_t line = 0; line < lines; ++line) {
    const auto length = static_cast<std::size_t>(tokens);
    const std::span score(values.const_data_ptr<float>() + line * tokens, length);
    const std::span must(stays.const_data_ptr<uint8_t>() + line * tokens, length);
    const int64_t count = counts.size() == 1 ? counts[0] : counts[static_cast<std::size_t>(line)];
    const auto least = std::count(must.begin(), must.end(), uint8_t{1});
    if (count < least || count > tokens) {
      of.fail(fmt::format("line {} keeps {} of {} tokens; expected {}..{}", line, count, tokens,
                          least, tokens));
    }
    kept.push_back(keep_best(score, must, count));
  }
  return kept;
}

KeptLists everything(int64_t lines, int64_t tokens) {
  std::vector<int64_t> all(static_cast<std::size_t>(tokens));
  std::iota(all.begin(), all.end(), 0);
  return KeptLists(static_cast<std::size_t>(lines), all);
}

PoolKind pool_of(const PolicyCase& of) {
  return of.word("pool", {"avgpool", "maxpool"}) == "maxpool" ? PoolKind::kMaximum
                                                              : PoolKind::kAverage;
}

int64_t kernel_of(const PolicyCase& of) {
  const int64_t kernel = of.integer("kernel", 1, 4095);
  if (kernel % 2 == 0) of.fail(fmt::format("parameter 'kernel' is {}, not odd", kernel));
  return kernel;
}

}  // namespace kvscope::verify
