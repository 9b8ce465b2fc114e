#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/verify/policies/tensors.h"
#include "policies/shares/layer_budgets.h"
#include "policies/signals/cake_scores.h"
#include "policies/signals/recent_queries.h"
#include "policies/signals/window_scores.h"

namespace kvscope::verify {
namespace {

constexpr int64_t kKernel = 5;  // tokens averaged, in the published code for all models

/// Parameters of a run.
struct CakeCase {
  explicit CakeCase(const PolicyCase& of)
      : layers(of.integer("L", 1, 1024)),
        rows(of.integer("B")),
        heads(of.integer("H")),
        head_dim(of.integer("D")),
        prompt(of.integer("prompt", 2)),
        steps(of.integer("steps", 0)),
        window(of.integer("w", 1, prompt - 1)),
        capacity(of.integer("C", window)),
        tau1(of.number("tau1", 1e-3, 1e3)),
        tau2(of.number("tau2", 1e-3, 1e3)),
        gamma(of.number("gamma", 0, 1e9)),
        cascading(of.flag("cascading")),
        has_row_axis(of.shape("q").size() == 5) {
    if (!has_row_axis && rows != 1) of.fail("tensor 'q' has no axis of rows, but B is not 1");
  }
  [[nodiscard]] std::vector<int64_t> shape(std::vector<int64_t> before,
                                           std::vector<int64_t> behind) const {
    if (has_row_axis) before.push_back(rows);
    before.insert(before.end(), behind.begin(), behind.end());
    return before;
  }
  [[nodiscard]] at::Tensor states(const PolicyCase& of, const std::string& name) const {
    return of.input(name, shape({layers}, {heads, prompt + steps, head_dim}))
        .view({layers, rows, heads, prompt + steps, head_dim});
  }

  int64_t layers, rows, heads, head_dim, prompt, steps, window, capacity;
  double tau1, tau2, gamma;
  bool cascading, has_row_axis;
};

/// One layer's cache as the published code lays it out: positions in the order of storage, the kept
/// past by falling score, then the newest tokens.
struct CakeLayer {
  at::Tensor order;   // [rows, heads, held] int64
  at::Tensor scores;  // [rows, heads, held - window], of the past in that order
  int64_t budget = 0;

  /// Keeps the best `count` of the past, by falling score, and the last `window` tokens.
  void evict(int64_t count, int64_t window) {
    const int64_t past = order.size(2) - window;
    const auto [sorted, index] = scores.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
    const int64_t stays = std::min(count, past);
    scores = sorted.narrow(2, 0, stays);
    order = at::cat({order.narrow(2, 0, past).gather(2, index.narrow(2, 0, stays)),
                     order.narrow(2, past, window)},
                    2);
  }
};

/// x [rows, heads, tokens, head_dim] at the positions of `order` [rows, heads, held].
at::Tensor in_order(const at::Tensor& x, const at::Tensor& order) {
  return x.gather(2, order.unsqueeze(3).expand({-1, -1, -1, x.size(3)}));
}

class CakeRun {
 public:
  CakeRun(const PolicyCase& of, const CakeCase& sizes)
      : of_(of),
        sizes_(sizes),
        q_(sizes.states(of, "q")),
        k_(sizes.states(of, "k")),
        v_(sizes.states(of, "v")),
        recorded_kept_(of.kept("kept_in_cache_order",
                               sizes.shape({sizes.steps + 1, sizes.layers}, {sizes.heads}),
                               sizes.prompt + sizes.steps)),
        budgets_(at::full({sizes.layers, sizes.layers}, -1, at::kLong)) {}

  void prefill() {
    for (int64_t layer = 0; layer < sizes_.layers; ++layer) {
      look_at_prompt(layer);
      share_budgets();
      for (int64_t i = 0; i <= layer; ++i) {
        budgets_[layer][i] = layers_[static_cast<std::size_t>(i)].budget;
      }
    }
    note_order();
  }

  void decode() {
    for (int64_t step = 0; step < sizes_.steps; ++step) {
      for (int64_t layer = 0; layer < sizes_.layers; ++layer) {
        take_token(layer, sizes_.prompt + step);
      }
      note_order();
    }
  }

  void compare(PolicyGroups& groups) const {
    const CakeCase& s = sizes_;
    const int64_t past = s.prompt - s.window;
    groups.close("evict_scores", of_, "evict_scores", at::stack(evict_scores_),
                 of_.input("evict_scores", s.shape({s.layers}, {s.heads, past}))
                     .view({s.layers, s.rows, s.heads, past}));
    groups.close("pref", of_, "pref", at::tensor(preferences_, at::kDouble),
                 of_.tensor("pref", {s.layers}));
    groups.exact("budgets", of_, "budgets", budgets_,
                 of_.integers("budgets", {s.layers, s.layers}, -1, kLargestSize));
    const auto states = s.steps + 1;
    groups.exact("kept_in_cache_order", of_, "kept_in_cache_order", kept_, recorded_kept_);
    groups.close("out", of_, "out",
                 at::stack(out_).view({states, s.layers, s.rows, s.heads, s.head_dim}),
                 of_.input("out", s.shape({states, s.layers}, {s.heads, s.head_dim}))
                     .view({states, s.layers, s.rows, s.heads, s.head_dim}));
  }

 private:
  /// Preference and scores of a layer's prompt, nothing evicted yet.
  void look_at_prompt(int64_t layer) {
    const CakeCase& s = sizes_;
    const at::Tensor k = k_[layer].narrow(2, 0, s.prompt);
    const at::Tensor logits =
        causal_window_logits(q_[layer].narrow(2, s.prompt - s.window, s.window), k);
    const at::Tensor in_window = last_tokens(s.prompt, s.window, k_.device());
    preferences_.push_back(layer_preference(attention_spread(logits, in_window), s.tau1, s.tau2));
    const at::Tensor pooled = pool_past(mean_and_variance_scores(logits, s.gamma), in_window,
                                        PoolKind::kAverage, kKernel);
    evict_scores_.push_back(pooled.narrow(2, 0, s.prompt - s.window).contiguous());
    layers_.push_back(
        {.order = at::arange(s.prompt, k_.options().dtype(at::kLong)).expand({s.rows, s.heads, -1}),
         .scores = evict_scores_.back(),
         .budget = s.capacity - s.window});
    const at::Tensor last = softmax_or_zero(logits.narrow(2, s.window - 1, 1));
    out_.push_back(at::matmul(last, v_[layer].narrow(2, 0, s.prompt)).squeeze(2));
  }

  /// The layers so far share what all layers may hold: after each, or at once after the last.
  void share_budgets() {
    const CakeCase& s = sizes_;
    const bool last = std::ssize(layers_) == s.layers;
    if (s.prompt <= s.capacity + s.window || (!s.cascading && !last)) return;
    const int64_t past = s.prompt - s.window;
    const auto budgets = preferred_budgets(preferences_, (s.capacity - s.window) * s.layers, past);
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      layers_[layer].budget = std::min(budgets[layer], past);
      if (layers_[layer].budget < 0) {
        of_.fail(
            fmt::format("layer {} has a budget of {} tokens, which the published code cannot "
                        "evicted to",
                        layer, budgets[layer]));
      }
      layers_[layer].evict(layers_[layer].budget, s.window);
    }
  }

  /// A token attends to the whole cache, then its own attention decides what is evicted.
  void take_token(int64_t layer, int64_t position) {
    const CakeCase& s = sizes_;
    CakeLayer& cache = layers_[static_cast<std::size_t>(layer)];
    cache.order =
        at::cat({cache.order, at::full({s.rows, s.heads, 1}, position, cache.order.options())}, 2);
    const at::Tensor logits =
        causal_window_logits(q_[layer].narrow(2, position, 1), in_order(k_[layer], cache.order));
    out_.push_back(
        at::matmul(softmax_or_zero(logits), in_order(v_[layer], cache.order)).squeeze(2));
    const int64_t held = cache.order.size(2);
    if (held <= cache.budget + s.window) return;
    const at::Tensor pooled =
        pool_past(mean_and_variance_scores(logits, 0.0), last_tokens(held, s.window, k_.device()),
                  PoolKind::kAverage, kKernel);
    cache.scores = pooled.narrow(2, 0, held - s.window);
    cache.evict(cache.budget, s.window);
  }

  void note_order() {
    for (const CakeLayer& layer : layers_) {
      const at::Tensor order = layer.order.cpu().contiguous();
      const int64_t held = order.size(2);
      if (held > of_.shape("kept_in_cache_order").back()) {  // its size bounds what is made here
        of_.fail(fmt::format("tensor 'kept_in_cache_order' is narrower than a cache of {} tokens",
                             held));
      }
      const auto* line = order.const_data_ptr<int64_t>();
      for (int64_t i = 0; i < sizes_.rows * sizes_.heads; ++i, line += held) {
        kept_.emplace_back(line, line + held);
      }
    }
  }

  const PolicyCase& of_;
  const CakeCase& sizes_;
  at::Tensor q_, k_, v_;  // [layers, rows, heads, tokens, head_dim]
  KeptLists recorded_kept_;
  at::Tensor budgets_;
  std::vector<CakeLayer> layers_;
  std::vector<double> preferences_;
  std::vector<at::Tensor> evict_scores_;
  std::vector<at::Tensor> out_;  // [steps + 1][layers] of [rows, heads, head_dim]
  KeptLists kept_;
};

/// Lines of budgets with their total and limit, and what the adjustment makes of them.
void check_adjusted(const PolicyCase& of, PolicyGroups& groups) {
  const std::vector<int64_t> shape = of.shape("budgets");
  if (shape.size() != 2) of.fail("tensor 'budgets' must have two axes");
  const at::Tensor budgets = of.tensor("budgets", shape).to(at::kDouble).contiguous();
  const at::Tensor sizes = of.integers("n_total_limit", {shape[0], 3}, -kLargestSize, kLargestSize);
  const at::Tensor recorded = of.integers("out", shape, -kLargestSize * 2, kLargestSize * 2);
  at::Tensor computed = recorded.clone();
  for (int64_t line = 0; line < shape[0]; ++line) {
    const auto* size = sizes.const_data_ptr<int64_t>() + line * 3;
    if (size[0] < 1 || size[0] > shape[1]) {
      of.fail(fmt::format("line {} has {} budgets; expected 1..{}", line, size[0], shape[1]));
    }
    const std::span values(budgets.const_data_ptr<double>() + line * shape[1],
                           static_cast<std::size_t>(size[0]));
    const auto adjusted = adjusted_budgets(values, size[1], size[2]);
    std::ranges::copy(adjusted, computed.mutable_data_ptr<int64_t>() + line * shape[1]);
  }
  groups.exact("adjusted budgets", of, "out", computed, recorded);
}

}  // namespace

std::vector<GroupResult> verify_policy_cake(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    if (of.has_tensor("n_total_limit")) {
      check_adjusted(of, groups);
      continue;
    }
    const CakeCase sizes(of);
    CakeRun run(of, sizes);
    run.prefill();
    run.decode();
    run.compare(groups);
  }
  return groups.results();
}

}  // namespace kvscope::verify
