#include <ATen/ATen.h>

#include <limits>

#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/part.h"
#include "policies/score/observation_window.h"
#include "policies/score/packed_rows.h"
#include "policies/score/pool.h"

namespace kvscope {
namespace {

/// SnapKV (arXiv:2404.14469): the attention that the step's last queries pay to each token,
///   s_j = pool( sum over i in W of exp(softmax_scale * q_i . k_j - lse_i) ),
/// with the log-sum-exp of the attention that was really used. The pool runs over the tokens before
/// the window; the window's own tokens, which SnapKV protects, have their plain sum.
class WindowAttention : public Score {
 public:
  WindowAttention(int64_t window, PoolKind pool, int64_t kernel, bool softmax_of_past)
      : window_(window), pool_(pool), kernel_(kernel), softmax_of_past_(softmax_of_past) {}

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    return trailing_window(step, fitting_window(window_, most));
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> tokens =
        in_step(layer_step.step, window(layer_step.step, tightest_count(layer_step)));
    const at::Tensor in_window = current_tokens_mask(layer_step, tokens);
    const at::Tensor sums = sum_over_window(layer_step, attention_of(layer_step, tokens),
                                            static_cast<int64_t>(tokens.size()), 0.0);
    const double padding =
        pool_ == PoolKind::kMaximum ? -std::numeric_limits<double>::infinity() : 0.0;
    const at::Tensor pooled = pool_tokens(sums.masked_fill(in_window, padding), pool_, kernel_);
    return at::where(in_window, sums, pooled);
  }

 private:
  /// Packed softmax rows of the window's queries; R-KV's form leaves out the window's own tokens.
  [[nodiscard]] at::Tensor attention_of(const LayerStep& layer_step,
                                        const std::vector<int64_t>& tokens) const {
    const bool causal = layer_step.step.kind == StepKind::kPrefill;
    const RaggedRows history = layer_step.cache.history(layer_step.layer);
    at::Tensor rows = attention_rows(layer_step.q, layer_step.lse, history, layer_step.k,
                                     layer_step.softmax_scale, tokens, causal);
    fill_padding(rows, layer_step, static_cast<int64_t>(tokens.size()), 0.0);
    if (softmax_of_past_) {
      const auto queries = static_cast<int64_t>(tokens.size());
      const std::vector<int64_t> offsets =
          column_offsets(history.length, layer_step.step.queries());
      for (int64_t slot = 0; slot + 1 < static_cast<int64_t>(offsets.size()); ++slot) {
        at::Tensor weights = rows_of_slot(rows, offsets, queries, slot);
        const at::Tensor past = weights.slice(1, 0, weights.size(1) - queries).sum(1, true);
        weights.div_(past.clamp_min(std::numeric_limits<float>::min()));
      }
    }
    return rows;
  }

  int64_t window_;
  PoolKind pool_;
  int64_t kernel_;
  bool softmax_of_past_;
};

}  // namespace

/// window (16): queries that look. pool (average): average | maximum. kernel (5): tokens pooled,
/// odd. softmax (all): all | past, where past leaves the window's tokens out of it (R-KV's form).
std::unique_ptr<Score> make_score_window_attention(PartOptions& options) {
  const int64_t window = options.integer("window", 16, 1);
  const bool maximum = options.word("pool", "average", {"average", "maximum"}) == "maximum";
  const int64_t kernel = pool_kernel(options, 5);
  const bool past = options.word("softmax", "all", {"all", "past"}) == "past";
  return std::make_unique<WindowAttention>(
      window, maximum ? PoolKind::kMaximum : PoolKind::kAverage, kernel, past);
}

}  // namespace kvscope
