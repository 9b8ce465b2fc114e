#include "policies/selection.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace kvscope {
namespace {

/// A total order, best first, so that a set of the best does not depend on the algorithm that finds
/// it.
struct Better {
  std::span<const float> scores;
  std::span<const int64_t> positions;

  bool operator()(int64_t left, int64_t right) const {
    if (scores[left] != scores[right]) return scores[left] > scores[right];
    return positions.empty() ? left < right : positions[left] < positions[right];
  }
};

void best_first(const Better& better, std::vector<int64_t>& candidates, int64_t count) {
  std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end(), better);
  candidates.resize(static_cast<std::size_t>(count));
}

/// What best_first() leaves where one token has to go, as at most steps of a next-token model.
std::vector<int64_t> all_but_worst(const Better& better, std::span<const uint8_t> is_protected) {
  const int64_t tokens = std::ssize(is_protected);
  int64_t worst = -1;
  for (int64_t token = 0; token < tokens; ++token) {
    if (is_protected[token] == 0 && (worst < 0 || better(worst, token))) worst = token;
  }
  std::vector<int64_t> kept;
  kept.reserve(is_protected.size() - 1);
  for (int64_t token = 0; token < tokens; ++token) {
    if (token != worst) kept.push_back(token);
  }
  return kept;
}

/// Ties as the published code leaves them: topk over the line with protected tokens at -infinity.
std::vector<int64_t> torch_top_k(std::span<const float> scores,
                                 std::span<const uint8_t> is_protected,
                                 int64_t count) {
  at::Tensor line = at::empty({static_cast<int64_t>(scores.size())}, at::kFloat);
  auto* values = line.mutable_data_ptr<float>();
  for (std::size_t token = 0; token < scores.size(); ++token) {
    values[token] =
        is_protected[token] != 0 ? -std::numeric_limits<float>::infinity() : scores[token];
  }
  const at::Tensor indices = std::get<1>(at::topk(line, count)).contiguous();
  const auto* first = indices.const_data_ptr<int64_t>();
  return {first, first + count};
}

}  // namespace

std::vector<int64_t> keep_best(std::span<const float> scores,
                               std::span<const uint8_t> is_protected,
                               int64_t count,
                               TieRule ties,
                               std::span<const int64_t> positions) {
  const Better better{.scores = scores, .positions = positions};
  if (ties == TieRule::kEarlier && count + 1 == std::ssize(scores)) {
    return all_but_worst(better, is_protected);
  }
  std::vector<int64_t> kept;
  std::vector<int64_t> candidates;
  kept.reserve(static_cast<std::size_t>(count));
  candidates.reserve(scores.size());
  for (std::size_t token = 0; token < scores.size(); ++token) {
    (is_protected[token] != 0 ? kept : candidates).push_back(static_cast<int64_t>(token));
  }
  const auto free = count - static_cast<int64_t>(kept.size());
  if (ties == TieRule::kTorchTopK) {
    candidates = torch_top_k(scores, is_protected, free);
  } else {
    best_first(better, candidates, free);
  }
  kept.insert(kept.end(), candidates.begin(), candidates.end());
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace kvscope
