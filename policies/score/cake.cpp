#include <ATen/ATen.h>

#include "policies/component.h"
#include "policies/signals/cake_scores.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/packed_rows.h"
#include "policies/signals/pool.h"
#include "policies/signals/recent_queries.h"
#include "policies/signals/window_scores.h"

namespace kvscope {
namespace {

/// CAKE's eviction score (arXiv:2503.12491): the window's attention to each token, its
/// mean plus gamma times its variance, averaged over neighbouring tokens before the window. Tokens
/// are neighbours in the order of their positions; the published code keeps them in the order of
/// their last scores, by which other sets survive several evictions.
class Cake : public Score {
 public:
  Cake(int64_t window, double gamma, int64_t kernel, bool decode_from_window)
      : window_(window),
        gamma_(gamma),
        kernel_(kernel),
        decode_from_window_(decode_from_window),
        queries_(window) {}

  void begin_generation(int64_t /*rows*/) override { queries_.begin_generation(); }
  void observe(const LayerStep& layer_step) override { queries_.observe(layer_step); }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    const int64_t tokens = fitting_window(window_, most);
    return step.kind == StepKind::kScale ? trailing_window(step, tokens)
                                         : recent_window(step, tokens);
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> tokens = window(layer_step.step, tightest_count(layer_step));
    const bool last_only = !decode_from_window_ && layer_step.step.kind == StepKind::kToken;
    const at::Tensor logits = queries_.logits(layer_step, last_only ? 1 : std::ssize(tokens));
    const at::Tensor in_window = positions_mask(layer_step, tokens) | absent_mask(layer_step);
    // Of every query head by itself, then the mean over the group.
    const at::Tensor scores =
        mean_and_variance_scores(by_query_head(layer_step, logits), gamma_).mean(2);
    return pool_past(scores, in_window, PoolKind::kAverage, kernel_);
  }

 private:
  int64_t window_;
  double gamma_;
  int64_t kernel_;
  bool decode_from_window_;
  RecentQueries queries_;
};

}  // namespace

/// Equation: arXiv:2503.12491; cake_scores.h. With short prompts and long images nearly all
/// evictions come behind a single token, so the window of remembered queries looks at every
/// eviction by default.
std::unique_ptr<Score> make_score_cake(Options& options) {
  const int64_t window =
      options.integer({.key = "window",
                       .default_value = 32,
                       .min = 1,
                       .unit = "queries",
                       .help = "queries that look, and tokens that protect: window keeps; on "
                               "next-scale models the last ones of the scale"});
  const double gamma = options.number({.key = "gamma",
                                       .default_value = 200.0,
                                       .min = 0,
                                       .max = 1e9,
                                       .help = "weight of the variance"});
  const int64_t kernel = pool_kernel(options, 5);
  const bool whole =
      options.word(
          {.key = "decode",
           .default_value = "window",
           .allowed = {"window", "last_query"},
           .help = "who looks at an eviction behind a single token: the window, or that token's "
                   "query alone, as published"}) == "window";
  return std::make_unique<Cake>(window, gamma, kernel, whole);
}

}  // namespace kvscope
