#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/verify/policies/tensors.h"
#include "policies/signals/redundancy_scores.h"
#include "policies/signals/window_scores.h"

namespace kvscope::verify {
namespace {

constexpr int64_t kMostTokens = 1 << 14;  // the similarity of all pairs is computed

struct Rule {
  int64_t budget;
  int64_t window;
  int64_t kernel;
  double lambda;
  SimilarityRule similar;
};

Rule rule_of(const PolicyCase& of) {
  Rule rule{.budget = of.integer("budget", 2),
            .window = of.integer("w", 1, of.integer("budget", 2) - 1),
            .kernel = kernel_of(of),
            .lambda = of.number("mix_lambda", 0, 1),
            .similar = {}};
  if (of.has("threshold")) rule.similar.threshold = of.number("threshold", -1, 1);
  if (of.has("retain_ratio")) rule.similar.retain_ratio = of.number("retain_ratio", 0, 1);
  if (of.has("retain_direction")) {
    const std::string direction =
        of.word("retain_direction", {"last", "first", "last_percent", "first_percent"});
    if (direction == "first") rule.similar.retain = RetainSimilar::kFirst;
    if (direction == "first_percent") rule.similar.retain = RetainSimilar::kFirstPercent;
  }
  return rule;
}

struct Scores {
  at::Tensor attention;   // [tokens - window] pooled
  at::Tensor repetition;  // [tokens]
  at::Tensor scores;      // [tokens - window]
};

/// Of one head: `q_window` [window, D], `k` [tokens, D] in the order of the cache.
Scores scores_of(const at::Tensor& q_window, const at::Tensor& k, const Rule& rule) {
  const int64_t tokens = k.size(0);
  const int64_t past = tokens - rule.window;
  const at::Tensor in_window = last_tokens(tokens, rule.window, k.device());
  const at::Tensor mean =
      mean_window_attention(causal_window_logits(q_window, k), in_window, SoftmaxOver::kPast);
  const at::Tensor pooled = pool_past(mean, in_window, PoolKind::kMaximum, rule.kernel);
  const at::Tensor repetition = key_repetition(k, rule.similar);
  return {.attention = pooled.narrow(0, 0, past),
          .repetition = repetition,
          .scores = redundancy_scores(pooled, repetition, rule.lambda).narrow(0, 0, past)};
}

void check_single(const PolicyCase& of, PolicyGroups& groups) {
  const Rule rule = rule_of(of);
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N", 2, kMostTokens);
  const int64_t head_dim = of.integer("D");
  const int64_t past = tokens - rule.window;
  const at::Tensor k = of.input("k", {heads, tokens, head_dim});
  const KeptLists recorded = of.kept("kept", {heads}, tokens);
  if (tokens < rule.budget) {
    groups.exact("kept", of, "kept", everything(heads, tokens), recorded);
    return;
  }
  const at::Tensor q_window = of.input("q_window", {heads, rule.window, head_dim});
  std::vector<at::Tensor> attention, repetition, scores;
  KeptLists kept;
  for (int64_t head = 0; head < heads; ++head) {
    const Scores found = scores_of(q_window[head], k[head], rule);
    attention.push_back(found.attention);
    repetition.push_back(found.repetition);
    scores.push_back(found.scores);
    kept.push_back(ordered_selection(found.scores, rule.budget, rule.window, PoolOrder::kPosition));
  }
  groups.close("attention_pooled", of, "attention_pooled", at::stack(attention),
               of.input("attention_pooled", {heads, past}));
  groups.close("similarity", of, "similarity", at::stack(repetition),
               of.input("similarity", {heads, tokens}));
  groups.close("scores", of, "scores", at::stack(scores), of.input("scores", {heads, past}));
  groups.exact("kept", of, "kept", kept, recorded);
}

/// One head's whole generation: the cache in its own order after every step, and what the step's
/// last query attended to. The prompt evicts at once if it fills the budget; a later step when the
/// tokens before it are a multiple of the interval and the cache with its token fills it.
void run_trace(const PolicyCase& of,
               int64_t head,
               const Rule& rule,
               const at::Tensor& q,
               const at::Tensor& k,
               const at::Tensor& v,
               KeptLists& kept,
               std::vector<at::Tensor>& out) {
  const int64_t prompt = of.integer("prompt", 1, kMostTokens);
  const int64_t steps = of.integer("steps", 0, kMostTokens);
  const int64_t interval = of.integer("interval");
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
  std::vector<int64_t> cache(static_cast<std::size_t>(prompt));
  std::iota(cache.begin(), cache.end(), 0);
  for (int64_t step = 0; step <= steps; ++step) {
    const int64_t seen = prompt + step;  // tokens of the generation, this step's included
    if (step > 0) cache.push_back(seen - 1);
    const at::Tensor index = at::tensor(cache, at::kLong).to(k.device());
    const at::Tensor held = k[head].index_select(0, index);
    const at::Tensor weights = at::softmax(at::matmul(held, q[head][seen - 1]).mul_(scale), 0);
    out.push_back(at::matmul(weights, v[head].index_select(0, index)));
    const bool due = step == 0 || (seen - 1) % interval == 0;
    if (due && static_cast<int64_t>(cache.size()) >= rule.budget) {
      const at::Tensor q_window = q[head].slice(0, seen - rule.window, seen);
      std::vector<int64_t> next;
      for (const int64_t chosen : ordered_selection(scores_of(q_window, held, rule).scores,
                                                    rule.budget, rule.window, PoolOrder::kScore)) {
        next.push_back(cache[static_cast<std::size_t>(chosen)]);
      }
      cache = std::move(next);
    }
    kept.push_back(cache);
  }
}

void check_trace(const PolicyCase& of, PolicyGroups& groups) {
  const Rule rule = rule_of(of);
  const int64_t heads = of.integer("H");
  const int64_t steps = of.integer("steps", 0, kMostTokens);
  const int64_t tokens = of.integer("prompt", 1, kMostTokens) + steps;
  const int64_t head_dim = of.integer("D");
  const at::Tensor q = of.input("q", {heads, tokens, head_dim});
  const at::Tensor k = of.input("k", {heads, tokens, head_dim});
  const at::Tensor v = of.input("v", {heads, tokens, head_dim});
  KeptLists by_head;
  std::vector<at::Tensor> out;
  for (int64_t head = 0; head < heads; ++head) run_trace(of, head, rule, q, k, v, by_head, out);
  KeptLists kept;
  for (int64_t step = 0; step <= steps; ++step) {
    for (int64_t head = 0; head < heads; ++head) {
      kept.push_back(by_head[static_cast<std::size_t>(head * (steps + 1) + step)]);
    }
  }
  groups.exact("kept_in_cache_order", of, "kept_in_cache_order", kept,
               of.kept("kept_in_cache_order", {steps + 1, heads}, tokens));
  groups.close("out", of, "out", at::stack(out).view({heads, steps + 1, head_dim}).transpose(0, 1),
               of.input("out", {steps + 1, heads, head_dim}));
}

}  // namespace

std::vector<GroupResult> verify_policy_rkv(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    (void)of.integer_or("B", 1, 1,
                        1);  // the reference takes one row, and the tensors drop the axis
    if (of.has("steps")) {
      check_trace(of, groups);
    } else {
      check_single(of, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
