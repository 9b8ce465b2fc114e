#include "policies/shares/head_shares.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <tuple>

namespace kvscope {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

/// Scores of one head, highest first, times its weight; what is not finite last and unweighted.
std::vector<float> ranked(const std::vector<float>& scores, int64_t base, bool weighted) {
  std::vector<float> sorted;
  for (const float score : scores) {
    if (std::isfinite(score)) sorted.push_back(score);
  }
  std::ranges::sort(sorted, std::greater<>());
  if (weighted) {
    const auto top =
        sorted.begin() + std::min<std::ptrdiff_t>(std::max<int64_t>(base, 1), std::ssize(sorted));
    const double of_top = std::accumulate(sorted.begin(), top, 0.0);
    const double of_all = std::accumulate(top, sorted.end(), of_top);
    const auto weight = static_cast<float>(of_top / of_all);
    for (float& score : sorted) score *= std::isfinite(weight) ? weight : 0.0F;
  }
  std::erase_if(sorted, [](float score) { return !(score > kLowest); });
  sorted.resize(scores.size(), kLowest);
  return sorted;
}

std::vector<std::vector<float>> ranked(std::span<const std::vector<float>> scores,
                                       int64_t base,
                                       bool weighted) {
  std::vector<std::vector<float>> heads;
  for (const auto& line : scores) heads.push_back(ranked(line, base, weighted));
  return heads;
}

}  // namespace

std::vector<int64_t> joint_counts(std::span<const std::vector<float>> scores,
                                  int64_t total,
                                  int64_t base,
                                  bool weighted,
                                  int64_t safe) {
  struct Candidate {
    float score;
    int64_t rank;  // in its head
    size_t head;
    bool operator<(const Candidate& other) const {  // the better one is less
      return std::tuple(-score, rank, head) < std::tuple(-other.score, other.rank, other.head);
    }
  };
  std::vector<int64_t> counts(scores.size(), 0);
  std::vector<Candidate> candidates;
  const auto heads = ranked(scores, base, weighted);
  for (size_t head = 0; head < heads.size(); ++head) {
    const auto tokens = std::ssize(heads[head]);
    counts[head] = std::min<int64_t>(safe, tokens);
    for (int64_t rank = counts[head]; rank < tokens; ++rank) {
      candidates.push_back({heads[head][static_cast<size_t>(rank)], rank, head});
    }
  }
  const int64_t left = total - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  const auto end = candidates.begin() + std::clamp<int64_t>(left, 0, std::ssize(candidates));
  std::nth_element(candidates.begin(), end, candidates.end());
  for (auto taken = candidates.begin(); taken != end; ++taken) ++counts[taken->head];
  return counts;
}

std::vector<int64_t> floored_counts(std::span<const int64_t> joint, int64_t base, double floor) {
  const auto own = static_cast<int64_t>(static_cast<double>(base) * floor);
  const at::Tensor blended = at::round(
      at::tensor(std::vector<int64_t>(joint.begin(), joint.end()), at::kLong) * (1.0 - floor) +
      own);
  std::vector<int64_t> counts;
  for (int64_t head = 0; head < blended.numel(); ++head) {
    counts.push_back(static_cast<int64_t>(blended.const_data_ptr<float>()[head]));
  }
  return counts;
}

std::vector<int64_t> fitted_counts(std::span<const std::vector<float>> scores,
                                   std::vector<int64_t> counts,
                                   int64_t total,
                                   int64_t base,
                                   bool weighted,
                                   int64_t floor) {
  const auto heads = ranked(scores, base, weighted);
  int64_t missing = total;
  for (size_t head = 0; head < counts.size(); ++head) {
    counts[head] = std::clamp<int64_t>(counts[head], 0, std::ssize(heads[head]));
    missing -= counts[head];
  }
  for (; missing > 0; --missing) {
    size_t best = counts.size();
    for (size_t head = 0; head < counts.size(); ++head) {
      if (counts[head] == std::ssize(heads[head])) continue;
      if (best == counts.size() || heads[head][static_cast<size_t>(counts[head])] >
                                       heads[best][static_cast<size_t>(counts[best])]) {
        best = head;
      }
    }
    if (best == counts.size()) break;  // every head holds everything
    ++counts[best];
  }
  for (; missing < 0; ++missing) {
    size_t worst = counts.size();
    const auto cost = [&](size_t head) {  // a head at its floor gives last
      return std::pair(counts[head] <= floor, heads[head][static_cast<size_t>(counts[head] - 1)]);
    };
    for (size_t head = 0; head < counts.size(); ++head) {
      if (counts[head] > 0 && (worst == counts.size() || cost(head) < cost(worst))) worst = head;
    }
    if (worst == counts.size()) break;  // nothing is left
    --counts[worst];
  }
  return counts;
}

}  // namespace kvscope
