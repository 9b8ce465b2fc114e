#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/policies/trace.h"

namespace kvscope::verify {
namespace {

constexpr const char* kTova = "{name: tova, score: last_query}";

/// Appends the list of each row; notes where its heads differ.
void append_rows(const PolicyCase& of,
                 PolicyGroups& groups,
                 const KeptLists& heads,
                 KeptLists& rows,
                 int64_t rows_in_all) {
  const auto heads_a_row = heads.size() / static_cast<std::size_t>(rows_in_all);
  for (std::size_t first = 0; first < heads.size(); first += heads_a_row) {
    for (std::size_t head = first + 1; head < first + heads_a_row; ++head) {
      if (heads[head] != heads[first]) {
        groups.mismatch("kept", of.name() + ": heads of a row keep different tokens");
      }
    }
    rows.push_back(heads[first]);
  }
}

void check_official(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t head_dim = of.integer("D");
  const int64_t prompt = of.integer("prompt");
  const int64_t steps = of.integer("steps", 0);
  const int64_t capacity = of.integer("C");
  // What is recorded is read first: its size, which is the file's, bounds what a trace may make.
  const KeptLists recorded_kept = of.kept("kept", {steps + 1, rows}, prompt + steps);
  if (of.shape("kept").back() < std::min(capacity, prompt + steps)) {
    of.fail("tensor 'kept' is narrower than the cache");
  }
  const at::Tensor recorded_prompt = of.input("prompt_scores", {rows, prompt});
  at::Tensor recorded_scores;
  if (steps > 0) recorded_scores = of.input("scores", {steps, rows, capacity + 1});
  const std::vector<int64_t> shape{rows, heads, prompt + steps, head_dim};
  const TraceInputs inputs{.q = of.input("q", shape),
                           .k = of.input("k", shape),
                           .v = of.input("k", shape),  // values decide nothing
                           .prompt = prompt,
                           .steps = steps,
                           .softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim))};
  KeptLists kept;
  std::vector<at::Tensor> scores;
  const auto policy = policy_of(kTova);
  replay_trace(
      inputs, *policy, capacity,
      [&](const LayerStep& step, const KeptIndices* /*kept*/) {
        const at::Tensor of_heads = policy->scores(step);  // [rows, heads, tokens], all heads alike
        if (scores.empty()) {
          groups.close("prompt_scores", of, "prompt_scores", of_heads.select(1, 0),
                       recorded_prompt);
        }
        scores.push_back(zero_padded(of_heads.select(1, 0), capacity + 1));
      },
      [&](const at::Tensor& /*out*/, const KvCache& cache) {
        append_rows(of, groups, positions_held(cache), kept, rows);
      });
  if (steps > 0) {
    scores.erase(scores.begin());  // the prompt's, compared above
    groups.close("scores", of, "scores", at::stack(scores), recorded_scores);
  }
  groups.exact("kept", of, "kept", kept, recorded_kept);
}

/// The last query over a cache that evicts once; its own key is forced to stay.
void check_kvpress(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2);
  const int64_t head_dim = of.integer("D");
  const int64_t count = kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
  groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
  const at::Tensor k = of.input("k", {rows, heads, tokens, head_dim});
  const at::Tensor q = of.input("q_last", {rows, heads, 1, head_dim});
  const TraceInputs inputs{.q = at::cat({k.narrow(2, 0, tokens - 1), q}, 2),
                           .k = k,
                           .v = k,  // values decide nothing
                           .prompt = tokens - 1,
                           .steps = 1,
                           .softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim))};
  at::Tensor scores;
  const auto policy = policy_of(kTova);
  replay_trace(
      inputs, *policy, tokens,
      [&](const LayerStep& step, const KeptIndices* /*kept*/) { scores = policy->scores(step); },
      [](const at::Tensor& /*out*/, const KvCache& /*cache*/) {});
  const at::Tensor newest = last_tokens(tokens, 1, k.device());
  const at::Tensor forced = forced_scores(scores.select(1, 0), newest);
  groups.close("scores", of, "scores", forced, of.input("scores", {rows, tokens}));
  groups.exact("kept", of, "kept", best_tokens(of, forced, {}, {{count}}),
               of.kept("kept", {rows}, tokens));
}

}  // namespace

std::vector<GroupResult> verify_policy_tova(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    if (of.word("form", {"official", "kvpress"}) == "official") {
      check_official(of, groups);
    } else {
      check_kvpress(of, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
