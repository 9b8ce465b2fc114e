#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "kernels/ragged/ragged.h"
#include "policies/component.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/recent_queries.h"
#include "policies/signals/redundancy_scores.h"
#include "policies/signals/window_scores.h"

namespace kvscope {
namespace {

constexpr int64_t kElementsAtOnce = int64_t{1} << 17;  // of the matrices of cosines: within a cache

/// R-KV (Cai et al., arXiv:2505.24133, section 3): score_j = lambda * A_j - (1 - lambda) * S_j with
/// A the largest of neighbours' mean attention of the last queries, their softmax over the tokens
/// before the window alone, and S the softmax over all keys of how much a key repeats others
/// (redundancy_scores.h). Every row counts its own keys, where the published code looks at the
/// first row of a batch. Neighbours and "the last similar key" are those of ascending positions,
/// the order of KvCache; the published code leaves its cache in descending score order instead.
class Redundancy : public Score {
 public:
  Redundancy(int64_t window, int64_t kernel, double lambda, SimilarityRule rule)
      : window_(window), kernel_(kernel), lambda_(lambda), rule_(rule), queries_(window) {}

  void begin_generation(int64_t /*rows*/) override { queries_.begin_generation(); }
  void observe(const LayerStep& layer_step) override { queries_.observe(layer_step); }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    return look_back_window(step, fitting_window(window_, most));
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> positions = window(layer_step.step, tightest_count(layer_step));
    const at::Tensor logits = queries_.logits(layer_step, static_cast<int64_t>(positions.size()));
    const at::Tensor in_window = window_mask(layer_step, positions.front());
    const at::Tensor attention =
        pool_past(mean_window_attention(logits, in_window, SoftmaxOver::kPast), in_window,
                  PoolKind::kMaximum, kernel_);
    return redundancy_scores(attention, repetition(layer_step, attention), lambda_);
  }

 private:
  /// S of every (row, head), shaped like `scores`; 0 for padding, which repeats nothing, and beyond
  /// a head's tokens.
  [[nodiscard]] at::Tensor repetition(const LayerStep& layer_step, const at::Tensor& scores) const {
    const KvCache& cache = *layer_step.cache;
    const int64_t heads = scores.size(1);
    // Heads with as many tokens and as much padding are looked at together: (tokens, padding).
    std::map<std::pair<int64_t, int64_t>, std::vector<int64_t>> alike;
    for (int64_t slot = 0; slot < scores.size(0) * heads; ++slot) {
      const int64_t row = slot / heads;
      const int64_t head = slot % heads;
      const int64_t tokens = cache.length(layer_step.layer, row, head) + layer_step.step.queries();
      const int64_t padding = cache.padding_length(layer_step.layer, row, head) +
                              cache.padding_of_step(layer_step.step, row);
      alike[{tokens, padding}].push_back(slot);
    }
    at::Tensor result = at::zeros(scores.sizes(), scores.options());
    const at::Tensor lines = result.view({scores.size(0) * heads, -1});
    for (const auto& [size, slots] : alike) {
      const auto [tokens, padding] = size;
      const auto most =
          static_cast<size_t>(std::max<int64_t>(1, kElementsAtOnce / (tokens * tokens)));
      for (size_t first = 0; first < slots.size(); first += most) {
        const auto some = std::span(slots).subspan(first, std::min(most, slots.size() - first));
        std::vector<at::Tensor> keys;
        for (const int64_t slot : some) {
          keys.push_back(cache.keys(layer_step.layer, slot / heads, slot % heads));
        }
        const at::Tensor index = at::tensor(some, at::kLong).to(scores.device());
        const at::Tensor current = layer_step.k.flatten(0, 1).index_select(0, index);
        const at::Tensor all = at::cat({at::stack(keys).to(at::kFloat), current.to(at::kFloat)}, 1);
        lines.narrow(1, padding, tokens - padding)
            .index_copy_(0, index, key_repetition(all.narrow(1, padding, tokens - padding), rule_));
      }
    }
    return result;
  }

  int64_t window_;
  int64_t kernel_;
  double lambda_;
  SimilarityRule rule_;
  RecentQueries queries_;
};

}  // namespace

std::unique_ptr<Score> make_score_redundancy(Options& options) {
  const int64_t window = options.integer({.key = "window",
                                          .default_value = 8,
                                          .min = 1,
                                          .unit = "queries",
                                          .help = "queries that look"});
  const int64_t kernel = pool_kernel(options, 7);
  const double lambda = options.number({.key = "lambda",
                                        .default_value = 0.07,
                                        .min = 0,
                                        .max = 1,
                                        .help = "weight of attention against repetition"});
  SimilarityRule rule;
  rule.threshold = options.number({.key = "threshold",
                                   .default_value = 0.5,
                                   .min = -1,
                                   .max = 1,
                                   .help = "cosine above which keys are similar"});
  const std::string retain = options.word({.key = "retain",
                                           .default_value = "last",
                                           .allowed = {"last", "first", "first_percent"},
                                           .help = "which similar key of a row does not count"});
  if (retain == "first") rule.retain = RetainSimilar::kFirst;
  if (retain == "first_percent") rule.retain = RetainSimilar::kFirstPercent;
  rule.retain_ratio = options.number({.key = "retain_ratio",
                                      .default_value = 0.1,
                                      .min = 0,
                                      .max = 1,
                                      .help = "of retain=first_percent"});
  if (retain != "first_percent") {
    options.unused("retain_ratio", "retain is " + retain + "; it is under first_percent",
                   WrittenIn::kOverride);
  }
  return std::make_unique<Redundancy>(window, kernel, lambda, rule);
}

}  // namespace kvscope
