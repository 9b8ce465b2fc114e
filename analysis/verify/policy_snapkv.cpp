#include <ATen/ATen.h>
#include <fmt/format.h>

#include "analysis/verify/policy_tensors.h"
#include "policies/score/window_scores.h"

namespace kvscope::verify {
namespace {

/// Lengths and ratios with what kvpress keeps of them.
void check_counts(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t lines = of.shape("ratio").empty() ? 0 : of.shape("ratio")[0];
  const at::Tensor recorded = of.integers("len_kept", {lines, 2}, 0, kLargestSize);
  const at::Tensor ratios = of.tensor("ratio", {lines}).to(at::kDouble);
  at::Tensor computed = recorded.clone();
  for (int64_t line = 0; line < lines; ++line) {
    const double ratio = ratios[line].item<double>();
    if (!(ratio >= 0 && ratio <= 1)) of.fail(fmt::format("ratio {} is {}", line, ratio));
    computed[line][1] = kvpress_tokens(recorded[line][0].item<int64_t>(), ratio);
  }
  groups.exact("n_kept", of, "len_kept", computed, recorded);
}

/// Tokens that stay of `tokens`; a count of `tokens` or more means that nothing is cut.
int64_t count_of(const PolicyCase& of, const std::string& form, int64_t tokens) {
  if (form == "KVCache-Factory") return of.integer("C");
  if (form == "R-KV") return of.integer("budget");
  return kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
}

void check_case(const PolicyCase& of, PolicyGroups& groups) {
  const std::string form = of.word("form", {"KVCache-Factory", "kvpress", "R-KV"});
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2);
  const int64_t head_dim = of.integer("D");
  const int64_t count = count_of(of, form, tokens);
  const bool kvpress = form == "kvpress";
  if (kvpress) {
    groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
  }
  // KVCache-Factory and R-KV leave a cache below the budget alone; at the budget they cut nothing
  // off, but do run.
  const bool runs = kvpress || tokens >= count;
  const int64_t window = of.integer("w", 1, runs ? tokens - 1 : kLargestCaseSize);
  const int64_t past = tokens - window;
  const KeptLists recorded = of.kept("kept", {rows, heads}, tokens);
  const at::Tensor k = of.input("k", {rows, heads, tokens, head_dim});
  const at::Tensor q_window =
      of.input("q_window", {rows, heads, std::min(window, tokens), head_dim});
  if (!runs) {
    groups.exact("kept", of, "kept", everything(rows * heads, tokens), recorded);
    return;
  }
  const at::Tensor in_window = last_tokens(tokens, window);
  const SoftmaxOver softmax = form == "R-KV" ? SoftmaxOver::kPast : SoftmaxOver::kAll;
  const at::Tensor mean =
      mean_window_attention(causal_window_logits(q_window, k), in_window, softmax);
  const at::Tensor pooled = pool_past(mean, in_window, pool_of(of), kernel_of(of));
  // KVCache-Factory sums over the window, the others take the mean.
  const double unit = form == "KVCache-Factory" ? static_cast<double>(window) : 1.0;
  groups.close("raw", of, "raw", mean.narrow(-1, 0, past) * unit,
               of.input("raw", {rows, heads, past}));
  const at::Tensor scores = kvpress ? forced_scores(pooled, in_window) : pooled.narrow(-1, 0, past);
  groups.close("scores", of, "scores", scores * unit,
               of.input("scores", {rows, heads, scores.size(-1)}));
  if (kvpress && count < window) {  // which window tokens stay is up to a top-k among equals
    const KeptLists all_window = best_tokens(of, forced_scores(pooled, in_window), {}, {{count}});
    KeptLists same_size = all_window;
    for (std::size_t line = 0; line < recorded.size(); ++line) {
      const bool fits = recorded[line].size() == same_size[line].size() &&
                        (recorded[line].empty() || recorded[line].front() >= past);
      if (fits) same_size[line] = recorded[line];
    }
    groups.exact("kept", of, "kept", same_size, recorded);
    return;
  }
  groups.exact("kept", of, "kept", best_tokens(of, pooled, in_window, {{count}}), recorded);
}

}  // namespace

std::vector<GroupResult> verify_policy_snapkv(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    if (of.has_tensor("len_kept")) {
      check_counts(of, groups);
    } else {
      check_case(of, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
