#include <ATen/ATen.h>
#include <fmt/format.h>

#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/policies/window.h"

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

/// Tokens that the case says stay of `tokens`.
int64_t count_of(const PolicyCase& of, const std::string& form, int64_t tokens) {
  if (form == "KVCache-Factory") return of.integer("C");
  if (form == "R-KV") return of.integer("budget");
  return kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
}

void check_case(const PolicyCase& of, PolicyGroups& groups) {
  const std::string form = of.word("form", kWindowForms);
  const int64_t count = count_of(of, form, of.integer("N"));
  if (of.has("n_kept")) {
    groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
  }
  check_window_selection(of, form, count, groups);
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
