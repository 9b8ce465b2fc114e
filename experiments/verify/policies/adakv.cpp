#include <ATen/ATen.h>
#include <fmt/format.h>

#include "experiments/verify/policies/tensors.h"
#include "policies/shares/head_shares.h"
#include "policies/signals/key_scores.h"
#include "policies/signals/window_scores.h"

namespace kvscope::verify {
namespace {

/// [heads, tokens] as lines.
std::vector<std::vector<float>> lines_of(const at::Tensor& scores) {
  const at::Tensor values = scores.cpu().contiguous();
  std::vector<std::vector<float>> lines;
  for (int64_t head = 0; head < values.size(0); ++head) {
    const auto* first = values.const_data_ptr<float>() + head * values.size(1);
    lines.emplace_back(first, first + values.size(1));
  }
  return lines;
}

void compare_counts(const PolicyCase& of,
                    PolicyGroups& groups,
                    const std::string& tensor,
                    const std::vector<int64_t>& computed,
                    at::IntArrayRef shape) {
  groups.exact(tensor, of, tensor, at::tensor(computed, at::kLong).view(shape),
               of.integers(tensor, shape, 0, kLargestSize));
}

void check_kvcache_factory(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2);
  const int64_t head_dim = of.integer("D");
  const int64_t window = of.integer("w", 1, tokens - 1);
  const int64_t base = of.integer("C", window) - window;
  const double floor = of.number("floor", 0, 1);
  const int64_t past = tokens - window;
  if (of.integer("B") != 1) of.fail("KVCache-Factory's form is recorded for one row");
  const at::Tensor q_window = of.input("q_window", {heads, window, head_dim});
  const at::Tensor k = of.input("k", {heads, tokens, head_dim});
  if (base > past) {  // there is nothing to evict
    compare_counts(of, groups, "counts",
                   std::vector<int64_t>(static_cast<std::size_t>(heads), tokens), {heads});
    return;
  }
  const at::Tensor in_window = last_tokens(tokens, window, k.device());
  const at::Tensor mean =
      mean_window_attention(causal_window_logits(q_window, k), in_window, SoftmaxOver::kAll);
  const at::Tensor pooled = pool_past(mean, in_window, pool_of(of), kernel_of(of));
  const at::Tensor scores = pooled.narrow(-1, 0, past);
  const auto joint = joint_counts(lines_of(scores), heads * base, base, of.flag("normalize"));
  std::vector<int64_t> counts = floored_counts(joint, base, floor);
  for (int64_t& count : counts) count += window;
  compare_counts(of, groups, "counts", counts, {heads});
  if (of.has("floor_capacity")) {
    groups.exact("floor_capacity", of, "floor_capacity",
                 at::tensor(static_cast<int64_t>(static_cast<double>(base) * floor)),
                 at::tensor(of.integer("floor_capacity", 0)));
  }
  if (!of.has_tensor("kept")) return;  // all of the past fits: only the counts say anything
  compare_counts(of, groups, "joint_counts", joint, {heads});
  groups.close("raw", of, "raw", mean.narrow(-1, 0, past), of.input("raw", {heads, past}));
  groups.close("scores", of, "scores", scores, of.input("scores", {heads, past}));
  groups.exact("kept", of, "kept", best_tokens(of, pooled, in_window, counts),
               of.kept("kept", {heads}, tokens));
}

/// The scores that kvpress' wrapper gets from the press below it, [rows, heads, tokens].
at::Tensor kvpress_scores(const PolicyCase& of, const at::Tensor& k) {
  if (of.word("base", {"SnapKV", "KNorm"}) == "KNorm") return key_norm_scores(k);
  const int64_t tokens = k.size(2);
  const int64_t window = of.integer("w", 1, tokens - 1);
  const at::Tensor in_window = last_tokens(tokens, window, k.device());
  const at::Tensor q_window = of.input("q_window", {k.size(0), k.size(1), window, k.size(3)});
  const at::Tensor mean =
      mean_window_attention(causal_window_logits(q_window, k), in_window, SoftmaxOver::kAll);
  return forced_scores(pool_past(mean, in_window, PoolKind::kAverage, kernel_of(of)), in_window);
}

void check_kvpress(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2);
  const int64_t each = kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
  const auto safe =
      static_cast<int64_t>(static_cast<double>(each) * of.number("alpha_safeguard", 0, 1));
  groups.exact("n_kept", of, "n_kept", at::tensor(each), at::tensor(of.integer("n_kept", 0)));
  groups.exact("n_safe", of, "n_safe", at::tensor(safe), at::tensor(of.integer("n_safe", 0)));
  const at::Tensor scores =
      kvpress_scores(of, of.input("k", {rows, heads, tokens, of.integer("D")}));
  groups.close("scores", of, "scores", scores, of.input("scores", {rows, heads, tokens}));
  std::vector<int64_t> counts;
  for (int64_t row = 0; row < rows; ++row) {
    const auto of_row = joint_counts(lines_of(scores[row]), heads * each, each, false, safe);
    counts.insert(counts.end(), of_row.begin(), of_row.end());
  }
  compare_counts(of, groups, "counts", counts, {rows, heads});
  groups.exact("kept", of, "kept", best_tokens(of, scores, {}, counts),
               of.kept("kept", {rows, heads}, tokens));
}

}  // namespace

std::vector<GroupResult> verify_policy_adakv(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    if (of.word("form", {"KVCache-Factory", "kvpress"}) == "kvpress") {
      check_kvpress(of, groups);
    } else {
      check_kvcache_factory(of, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
