#include "policies/signals/redundancy_scores.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace kvscope {
namespace {

constexpr int64_t kRowsAtOnce = 256;
constexpr double kNormFloor = 1e-8;  // R-KV's

/// The index that each row of `similar` [..., rows, tokens] bool leaves out: [..., rows, 1].
at::Tensor left_out(const at::Tensor& similar, const SimilarityRule& rule) {
  const int64_t tokens = similar.size(-1);
  // Indices as fp32, exact up to 2^24: int64 has no vector instructions for what follows.
  const at::Tensor all = at::arange(tokens, similar.options().dtype(at::kFloat));
  const at::Tensor indices = at::where(similar, all, at::zeros({}, all.options()));  // others: 0
  switch (rule.retain) {
    case RetainSimilar::kFirst:
      return indices.amin(-1, true).to(at::kLong);
    case RetainSimilar::kFirstPercent: {
      const auto rank = static_cast<int64_t>(static_cast<double>(tokens) * rule.retain_ratio);
      return std::get<0>(
                 at::kthvalue(indices, std::clamp<int64_t>(rank, 1, tokens), -1, /*keepdim=*/true))
          .to(at::kLong);
    }
    case RetainSimilar::kLast:
      break;
  }
  return indices.amax(-1, true).to(at::kLong);
}

}  // namespace

at::Tensor key_repetition(const at::Tensor& keys, const SimilarityRule& rule) {
  const int64_t tokens = keys.size(-2);
  const at::Tensor wide = keys.to(at::kFloat);
  const at::Tensor directions = wide.div(wide.norm(2, {-1}, true).add_(kNormFloor));
  at::Tensor sums = at::zeros(keys.sizes().slice(0, keys.dim() - 1), wide.options());
  for (int64_t first = 0; first < tokens; first += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, tokens - first);
    at::Tensor cosines =
        at::matmul(directions.narrow(-2, first, rows), directions.transpose(-2, -1));
    cosines.diagonal(first, -2, -1).zero_();
    cosines.scatter_(-1, left_out(cosines > rule.threshold, rule), 0);
    sums.add_(cosines.sum(-2));
  }
  return at::softmax(sums.div_(static_cast<double>(tokens)), -1);
}

at::Tensor redundancy_scores(const at::Tensor& attention,
                             const at::Tensor& repetition,
                             double lambda) {
  return attention * lambda - repetition * (1 - lambda);
}

std::vector<int64_t> ordered_selection(const at::Tensor& scores,
                                       int64_t count,
                                       int64_t window,
                                       PoolOrder order) {
  const at::Tensor line = scores.to(at::kCPU, at::kFloat).contiguous();
  const float* value = line.const_data_ptr<float>();
  const int64_t past = line.size(0);
  std::vector<int64_t> kept(static_cast<std::size_t>(past));
  std::iota(kept.begin(), kept.end(), 0);
  std::stable_sort(kept.begin(), kept.end(),
                   [&](int64_t left, int64_t right) { return value[left] > value[right]; });
  kept.resize(static_cast<std::size_t>(count - window));
  if (order == PoolOrder::kPosition) std::ranges::sort(kept);
  for (int64_t token = past; token < past + window; ++token) kept.push_back(token);
  return kept;
}

}  // namespace kvscope
