#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "policies/component.h"
#include "policies/signals/attention_sums.h"
#include "policies/signals/observation_window.h"

namespace kvscope {
namespace {

/// The attention that each token has received from all queries since it was written (H2O's heavy
/// hitters, AttentionSums). Its window is the newest part of the budget, which H2O keeps whatever
/// its sums are: heavy hitters come from the rest.
class AccumulatedAttention : public Score {
 public:
  AccumulatedAttention(double recent_fraction, int64_t recent_tokens, bool mean)
      : recent_fraction_(recent_fraction), recent_tokens_(recent_tokens), mean_(mean) {}

  void begin_generation(int64_t /*rows*/) override { sums_.begin_generation(); }
  void observe(const LayerStep& layer_step) override { sums_.observe(layer_step); }
  void settle(const LayerStep& layer_step, const KeptIndices* kept) override {
    sums_.settle(layer_step, kept);
  }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    const int64_t recent =
        recent_tokens_ < 0
            ? static_cast<int64_t>(std::floor(recent_fraction_ * static_cast<double>(most)))
            : std::min(recent_tokens_, fitting_window(recent_tokens_, most));
    return recent_window(step, recent);
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const at::Tensor sums = sums_.sums(layer_step);
    return mean_ ? sums / queries_that_saw(layer_step) : sums;
  }

 private:
  double recent_fraction_;
  int64_t recent_tokens_;
  bool mean_;
  AttentionSums sums_;
};

}  // namespace

/// Equation: arXiv:2306.14048; real drop as in FMInference/H2O, utils_real_drop, decided for each
/// row.
std::unique_ptr<Score> make_score_accumulated_attention(Options& options) {
  const double fraction =
      options.number({.key = "recent_fraction",
                      .default_value = 0.5,
                      .min = 0,
                      .max = 1,
                      .help = "share of the budget that recency protects (with protect: window), "
                              "rounded down to tokens; the rest are heavy hitters"});
  const int64_t tokens =
      options.integer({.key = "recent_tokens",
                       .default_value = -1,
                       .min = -1,
                       .unit = "tokens",
                       .help = "the same in tokens, which then counts instead; a budget of fewer "
                               "halves it; -1: by recent_fraction"});
  if (tokens >= 0) {
    options.unused("recent_fraction", "recent_tokens counts instead", WrittenIn::kOverride);
  }
  const bool mean =
      options.word({.key = "reduce",
                    .default_value = "sum",
                    .allowed = {"sum", "mean"},
                    .help = "mean divides by the number of queries that saw the token, which old "
                            "tokens have more of (the observed attention of kvpress)"}) == "mean";
  return std::make_unique<AccumulatedAttention>(fraction, tokens, mean);
}

}  // namespace kvscope
