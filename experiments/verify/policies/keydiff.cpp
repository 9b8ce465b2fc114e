#include <algorithm>

#include "experiments/verify/policies/tensors.h"
#include "policies/signals/key_scores.h"

namespace kvscope::verify {

std::vector<GroupResult> verify_policy_keydiff(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    const std::string form = of.word("form", {"kvpress", "kvpress BlockPress(KeyDiff)"});
    const int64_t rows = of.integer("B");
    const int64_t heads = of.integer("H");
    const int64_t tokens = of.integer("N");
    const at::Tensor keys = of.input("k", {rows, heads, tokens, of.integer("D")});
    const int64_t count = kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
    groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
    const KeptLists recorded = of.kept("kept", {rows, heads}, tokens);
    if (form == "kvpress") {
      const at::Tensor scores = key_difference_scores(keys);
      groups.close("scores", of, "scores", scores, of.input("scores", {rows, heads, tokens}));
      groups.exact("kept", of, "kept", best_tokens(of, scores, {}, {{count}}), recorded);
    } else {
      groups.exact("kept block by block", of, "kept",
                   block_key_difference_kept(keys.flatten(0, 1), count, of.integer("block_size")),
                   recorded);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
