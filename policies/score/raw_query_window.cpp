#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/part.h"
#include "policies/score/observation_window.h"
#include "policies/score/packed_rows.h"
#include "policies/score/pool.h"

namespace kvscope {
namespace {

/// The query projection alone of the given tokens of the step: [rows, heads, tokens, head_dim].
at::Tensor raw_queries(const LayerStep& layer_step, const std::vector<int64_t>& tokens) {
  const at::Tensor& weight = layer_step.query_weight;
  const at::Tensor index = at::tensor(tokens, at::kLong).to(layer_step.hidden.device());
  const at::Tensor hidden = layer_step.hidden.index_select(1, index).to(weight.scalar_type());
  return at::matmul(hidden, weight.t())
      .view({hidden.size(0), hidden.size(1), layer_step.k.size(1), layer_step.k.size(3)})
      .transpose(1, 2);
}

/// ScaleKV's score as its released code computes it (not as arXiv:2505.19602 writes it):
///   s_j = maxpool_kernel( sum over i in W of q_i . k_j / sqrt(head_dim) )
/// with W the centroids of a 4 x 4 grid over the current scale, q_i the raw projection (no bias,
/// norm, learned scale or rotation), k_j as cached, and no softmax. Tokens of W count as -infinity,
/// so they lend nothing to their neighbours in the pool; they stay by protection.
class RawQueryWindow : public Score {
 public:
  RawQueryWindow(int64_t window, int64_t kernel, TieRule ties)
      : window_(window), kernel_(kernel), ties_(ties) {}

  [[nodiscard]] TieRule ties() const override { return ties_; }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    return centroid_window(step, fitting_square_window(window_, most));
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const std::vector<int64_t> tokens =
        in_step(layer_step.step, window(layer_step.step, tightest_count(layer_step)));
    const at::Tensor queries = raw_queries(layer_step, tokens);
    std::vector<int64_t> rows(tokens.size());
    std::iota(rows.begin(), rows.end(), 0);
    const KvCache& cache = layer_step.cache;
    // The logits are rounded to the queries' type, as under autocast; their sum is fp32.
    const at::Tensor logits =
        score_rows(queries, cache.history(layer_step.layer), layer_step.k, 1.0, rows)
            .to(queries.scalar_type())
            .div(std::sqrt(static_cast<double>(layer_step.k.size(3))));
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    const auto queries_taken = static_cast<int64_t>(tokens.size());
    fill_padding(logits, layer_step, queries_taken, kNone);
    const at::Tensor sums = sum_over_window(layer_step, logits, queries_taken, kNone)
                                .masked_fill_(current_tokens_mask(layer_step, tokens), kNone);
    return pool_tokens(sums, PoolKind::kMaximum, kernel_);
  }

 private:
  int64_t window_;
  int64_t kernel_;
  TieRule ties_;
};

}  // namespace

/// window (16): observation tokens, a square number for a grid of centroids. kernel (5): tokens the
/// maximum runs over, odd. ties (torch_topk): torch_topk | lower_index, which of equal scores
/// stays.
std::unique_ptr<Score> make_score_raw_query_window(PartOptions& options) {
  const int64_t window = options.integer("window", 16, 1);
  const int64_t kernel = pool_kernel(options, 5);
  const bool lower =
      options.word("ties", "torch_topk", {"torch_topk", "lower_index"}) == "lower_index";
  return std::make_unique<RawQueryWindow>(window, kernel,
                                          lower ? TieRule::kLowerIndex : TieRule::kTorchTopK);
}

}  // namespace kvscope
