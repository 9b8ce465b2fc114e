#include <algorithm>

#include "experiments/verify/policies/tensors.h"
#include "policies/signals/key_scores.h"

namespace kvscope::verify {
namespace {

/// KVCache-Factory: C tokens, no window, nothing evicted in skipped layers or below C.
int64_t count_of_factory(const PolicyCase& of, int64_t tokens) {
  const int64_t budget = of.integer("C");
  const auto layer = of.integer("layer", 0, 1023);
  const std::vector<int64_t> skipped = of.integer_list("skip_layers", 0, 1023);
  for (std::size_t i = 0; i < skipped.size(); ++i) {
    if (skipped[i] != static_cast<int64_t>(i)) of.fail("skips other layers than the first ones");
  }
  return layer < static_cast<int64_t>(skipped.size()) ? tokens : std::min(tokens, budget);
}

}  // namespace

std::vector<GroupResult> verify_policy_knorm(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    const std::string form = of.word("form", {"kvpress", "KVCache-Factory L2Norm"});
    const int64_t rows = of.integer("B");
    const int64_t heads = of.integer("H");
    const int64_t tokens = of.integer("N");
    const at::Tensor scores =
        key_norm_scores(of.input("k", {rows, heads, tokens, of.integer("D")}));
    int64_t count = 0;
    if (form == "kvpress") {
      count = kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
      groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
      groups.close("scores", of, "scores", scores, of.input("scores", {rows, heads, tokens}));
    } else {
      count = count_of_factory(of, tokens);
    }
    groups.exact("kept", of, "kept", best_tokens(of, scores, {}, {{count}}),
                 of.kept("kept", {rows, heads}, tokens));
  }
  return groups.results();
}

}  // namespace kvscope::verify
