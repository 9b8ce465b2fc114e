#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "experiments/verify/policies/tensors.h"
#include "policies/shares/head_capacity.h"
#include "policies/signals/window_scores.h"

namespace kvscope::verify {
namespace {

/// Past tokens of every (layer, head), compared with what is recorded.
std::vector<std::vector<int64_t>> check_capacities(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t layers = of.integer("L");
  const int64_t heads = of.integer("H");
  const at::Tensor recorded = of.integers("capacity", {layers, heads}, -kLargestSize, kLargestSize);
  const at::Tensor importance =
      of.tensor("importance", {layers, heads}).to(at::kDouble).contiguous();
  const bool fits = (importance >= 0).all().item<bool>() &&
                    at::isfinite(importance).all().item<bool>() &&
                    importance.sum().item<double>() > 0;
  if (!fits) of.fail("tensor 'importance' must hold finite numbers >= 0, one of them above 0");
  std::vector<std::vector<double>> table;
  const double* next = importance.const_data_ptr<double>();
  for (int64_t layer = 0; layer < layers; ++layer, next += heads) {
    table.emplace_back(next, next + heads);
  }
  auto capacities = head_capacities(table, of.number("C", 1, kLargestCaseSize),
                                    of.number("head_beta", 1, kLargestCaseSize));
  groups.exact("capacity", of, "capacity", padded(capacities), recorded);
  return capacities;
}

void check_selection(const PolicyCase& of,
                     const std::vector<int64_t>& capacity,
                     PolicyGroups& groups) {
  (void)of.integer_or("B", 1, 1, 1);  // the reference takes one row, and the tensors drop the axis
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2);
  const int64_t head_dim = of.integer("D");
  const int64_t window = of.integer("w", 1, tokens - 1);
  const at::Tensor k = of.input("k", {heads, tokens, head_dim});
  const at::Tensor q_window = of.input("q_window", {heads, window, head_dim});
  const int64_t past = tokens - window;
  std::vector<int64_t> counts;
  for (const int64_t of_head : capacity) {
    const bool evicts = of.number("C", 1, kLargestCaseSize) - static_cast<double>(window) <=
                        static_cast<double>(past);
    counts.push_back((evicts ? std::min(of_head, past) : past) + window);
  }
  if (of.has_tensor("counts")) {
    groups.exact("counts", of, "counts", at::tensor(counts, at::kLong),
                 of.integers("counts", {heads}, 0, kLargestCaseSize));
  }
  const at::Tensor in_window = last_tokens(tokens, window, k.device());
  const at::Tensor scores = pool_past(
      mean_window_attention(causal_window_logits(q_window, k), in_window, SoftmaxOver::kAll),
      in_window, pool_of(of), kernel_of(of));
  if (of.has_tensor("scores")) {
    groups.close("scores", of, "scores", scores.narrow(-1, 0, past),
                 of.input("scores", {heads, past}));
  }
  if (of.has_tensor("kept")) {
    groups.exact("kept", of, "kept", best_tokens(of, scores, in_window, counts),
                 of.kept("kept", {heads}, tokens));
  }
}

}  // namespace

std::vector<GroupResult> verify_policy_headkv(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    const auto capacities = check_capacities(of, groups);
    if (!of.has("layer")) continue;
    const int64_t layer = of.integer("layer", 0, static_cast<int64_t>(capacities.size()) - 1);
    check_selection(of, capacities[static_cast<std::size_t>(layer)], groups);
  }
  return groups.results();
}

}  // namespace kvscope::verify
