#include "policies/signals/key_scores.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "policies/selection.h"

namespace kvscope {
namespace {

constexpr double kTiny = 1e-12;

at::Tensor unit(const at::Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min(kTiny);
}

std::vector<int64_t> block_kept(const at::Tensor& keys, int64_t count, int64_t block) {
  const int64_t tokens = keys.size(0);
  std::vector<int64_t> kept(static_cast<std::size_t>(std::min(count, tokens)));
  std::iota(kept.begin(), kept.end(), 0);
  for (int64_t begin = count; begin < tokens; begin += block) {
    std::vector<int64_t> candidates = kept;
    for (int64_t token = begin; token < std::min(begin + block, tokens); ++token) {
      candidates.push_back(token);
    }
    const at::Tensor index = at::tensor(candidates, at::kLong).to(keys.device());
    const at::Tensor scores = key_difference_scores(keys.index_select(0, index)).cpu().contiguous();
    const std::vector<uint8_t> free(candidates.size(), 0);
    const auto best = keep_best({scores.const_data_ptr<float>(), candidates.size()}, free, count,
                                TieRule::kEarlier);
    kept.clear();
    for (const int64_t at : best) kept.push_back(candidates[at]);
  }
  return kept;
}

}  // namespace

at::Tensor key_norm_scores(const at::Tensor& keys) {
  return keys.to(at::kFloat).norm(2, {-1}).neg();
}

at::Tensor key_difference_scores(const at::Tensor& keys, const at::Tensor& visible) {
  const at::Tensor directions = unit(keys.to(at::kFloat));
  const at::Tensor anchor = visible.defined()
                                ? (directions * visible.unsqueeze(-1)).sum(-2, true) /
                                      visible.sum(-1, true, at::kFloat).clamp_min(1).unsqueeze(-1)
                                : directions.mean(-2, true);
  return (directions * unit(anchor)).sum(-1).neg();
}

std::vector<std::vector<int64_t>> block_key_difference_kept(const at::Tensor& keys,
                                                            int64_t count,
                                                            int64_t block) {
  std::vector<std::vector<int64_t>> kept;
  for (const at::Tensor& line : keys.to(at::kFloat).unbind(0)) {
    kept.push_back(block_kept(line, count, block));
  }
  return kept;
}

}  // namespace kvscope
