#include <ATen/ATen.h>

#include "policies/component.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/recent_queries.h"
#include "policies/signals/window_scores.h"

namespace kvscope {
namespace {

/// SnapKV (arXiv:2404.14469): the attention that the last queries pay to each token,
///   s_j = pool( mean over i in W of softmax_j(softmax_scale * q_i . k_j) ),
/// pooled over the tokens before the window; the window's own tokens, which SnapKV protects, have
/// their plain mean. A next-scale step has its window within itself; a next-token model's queries
/// are remembered from step to step and look at what the cache holds now. KVCache-Factory adds up
/// over the window where kvpress and R-KV take the mean, which ranks alike.
class WindowAttention : public Score {
 public:
  WindowAttention(int64_t window, PoolKind pool, int64_t kernel, SoftmaxOver softmax)
      : window_(window), pool_(pool), kernel_(kernel), softmax_(softmax), queries_(window) {}

  void begin_generation(int64_t /*rows*/) override { queries_.begin_generation(); }
  void observe(const LayerStep& layer_step) override { queries_.observe(layer_step); }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    return look_back_window(step, fitting_window(window_, most));
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> positions = window(layer_step.step, tightest_count(layer_step));
    const at::Tensor logits = queries_.logits(layer_step, static_cast<int64_t>(positions.size()));
    const at::Tensor in_window = window_mask(layer_step, positions.front());
    return pool_past(mean_window_attention(logits, in_window, softmax_), in_window, pool_, kernel_);
  }

 private:
  int64_t window_;
  PoolKind pool_;
  int64_t kernel_;
  SoftmaxOver softmax_;
  RecentQueries queries_;
};

}  // namespace

std::unique_ptr<Score> make_score_window_attention(Options& options) {
  const int64_t window =
      options.integer({.key = "window",
                       .default_value = 16,
                       .min = 1,
                       .unit = "queries",
                       .help = "queries that look; published: 64 (kvpress), 32 (KVCache-Factory's "
                               "prompts), 8 (its scripts and R-KV)"});
  const bool maximum =
      options.word({.key = "pool",
                    .default_value = "average",
                    .allowed = {"average", "maximum"},
                    .help = "over neighbouring tokens; published: averages of 5, maxima of 7"}) ==
      "maximum";
  const int64_t kernel = pool_kernel(options, 5);
  const bool past =
      options.word(
          {.key = "softmax",
           .default_value = "all",
           .allowed = {"all", "past"},
           .help = "past leaves the window's own tokens out of the softmax (R-KV's form)"}) ==
      "past";
  return std::make_unique<WindowAttention>(window,
                                           maximum ? PoolKind::kMaximum : PoolKind::kAverage,
                                           kernel, past ? SoftmaxOver::kPast : SoftmaxOver::kAll);
}

}  // namespace kvscope
