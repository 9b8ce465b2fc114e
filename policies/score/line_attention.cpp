#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "policies/component.h"
#include "policies/signals/recent_queries.h"

namespace kvscope {
namespace {

/// LineAR (arXiv:2512.04857): what the queries of the last line of the image attend to decides
/// what the next line will need,
///   s_j = sum over the queries i of the last `lines` lines of softmax_i[j], of all query heads.
/// Neighbouring lines attend alike. Where the geometry does not say how long a line is, a token
/// counts as one; in a next-scale model the last lines of the current scale look.
class LineAttention : public Score {
 public:
  explicit LineAttention(int64_t lines) : lines_(lines) {}

  void begin_generation(int64_t /*rows*/) override { recent_.reset(); }

  void observe(const LayerStep& layer_step) override {
    const CacheGeometry& geometry = layer_step.cache->plan().geometry();
    if (!recent_) {
      int64_t longest = 1;
      for (const StepInfo& step : geometry.steps) {
        longest = std::max(longest, queries_that_look(geometry, step));
      }
      recent_.emplace(longest);
    }
    recent_->observe(layer_step);
  }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const int64_t window = queries_that_look(layer_step.cache->plan().geometry(), layer_step.step);
    return recent_.value().attention(layer_step, window).sum(2);
  }

 private:
  [[nodiscard]] int64_t queries_that_look(const CacheGeometry& geometry,
                                          const StepInfo& step) const {
    if (step.kind == StepKind::kScale) {
      return std::min(lines_, step.grid_height) * step.grid_width;
    }
    return std::min(lines_ * std::max<int64_t>(geometry.line_tokens, 1),
                    full_cache_tokens(geometry.steps));
  }

  int64_t lines_;
  std::optional<RecentQueries> recent_;  // made when the length of a line is known
};

}  // namespace

/// How the paper sums over queries and whether heads share a decision is not published: each head
/// decides, by the sum.
std::unique_ptr<Score> make_score_line_attention(Options& options) {
  return std::make_unique<LineAttention>(
      options.integer({.key = "lines",
                       .default_value = 1,
                       .min = 1,
                       .unit = "lines",
                       .help = "last lines whose queries look; the paper: the most recent one"}));
}

}  // namespace kvscope
