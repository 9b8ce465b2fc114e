#include "experiments/verify/policies/window.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "experiments/verify/policies/tensors.h"
#include "policies/signals/window_scores.h"

namespace kvscope::verify {
namespace {

/// kvpress gives all window tokens one score. Where fewer of them stay than there are, a top-k
/// among equals decides, and any will do.
KeptLists any_of_window(const KeptLists& recorded, int64_t count, int64_t tokens, int64_t window) {
  KeptLists expected;
  for (const auto& line : recorded) {
    const bool fits = static_cast<int64_t>(line.size()) == count &&
                      (line.empty() || line.front() >= tokens - window);
    expected.push_back(fits ? line : std::vector<int64_t>{});
  }
  return expected;
}

}  // namespace

void check_window_selection(const PolicyCase& of,
                            const std::string& form,
                            int64_t count,
                            PolicyGroups& groups) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N");
  const int64_t head_dim = of.integer("D");
  const KeptLists recorded = of.kept("kept", {rows, heads}, tokens);
  const at::Tensor k = of.input("k", {rows, heads, tokens, head_dim});
  // KVCache-Factory and R-KV leave a cache below the budget alone; at the budget they evict nothing
  // off, but do run.
  const bool runs = form == "kvpress" || tokens >= count;
  const int64_t window = of.integer("w", 1, runs ? tokens - 1 : kLargestCaseSize);
  const at::Tensor q_window =
      of.input("q_window", {rows, heads, std::min(window, tokens), head_dim});
  if (!runs) {
    groups.exact("kept", of, "kept", everything(rows * heads, tokens), recorded);
    return;
  }
  const int64_t past = tokens - window;
  const at::Tensor in_window = last_tokens(tokens, window, k.device());
  const at::Tensor mean =
      mean_window_attention(causal_window_logits(q_window, k), in_window,
                            form == "R-KV" ? SoftmaxOver::kPast : SoftmaxOver::kAll);
  const at::Tensor pooled = pool_past(mean, in_window, pool_of(of), kernel_of(of));
  // KVCache-Factory sums over the window, the others take the mean.
  const double unit = form == "KVCache-Factory" ? static_cast<double>(window) : 1.0;
  if (of.has_tensor("raw")) {
    groups.close("raw", of, "raw", mean.narrow(-1, 0, past) * unit,
                 of.input("raw", {rows, heads, past}));
  }
  const at::Tensor scores =
      form == "kvpress" ? forced_scores(pooled, in_window) : pooled.narrow(-1, 0, past) * unit;
  groups.close("scores", of, "scores", scores, of.input("scores", {rows, heads, scores.size(-1)}));
  const KeptLists kept = form == "kvpress" && count < window
                             ? any_of_window(recorded, count, tokens, window)
                             : best_tokens(of, pooled, in_window, {{count}});
  groups.exact("kept", of, "kept", kept, recorded);
}

}  // namespace kvscope::verify
