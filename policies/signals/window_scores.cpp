#include "policies/signals/window_scores.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "policies/signals/observation_window.h"
#include "policies/signals/recent_queries.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

at::Tensor mean_window_attention(const at::Tensor& logits,
                                 const at::Tensor& in_window,
                                 SoftmaxOver softmax) {
  const at::Tensor nothing = sees_nothing(logits);
  const at::Tensor attention =
      softmax == SoftmaxOver::kAll
          ? softmax_or_zero(logits, nothing)
          : softmax_or_zero(logits.masked_fill(in_window.unsqueeze(-2), -kInfinity));
  const at::Tensor looking = nothing.logical_not().sum(-1, true).clamp_min(1);
  return attention.sum(-2).div_(looking);
}

at::Tensor pool_past(const at::Tensor& scores,
                     const at::Tensor& in_window,
                     PoolKind kind,
                     int64_t kernel) {
  const double nothing = kind == PoolKind::kMaximum ? -kInfinity : 0.0;
  const at::Tensor pooled = pool_tokens(scores.masked_fill(in_window, nothing), kind, kernel);
  return at::where(in_window, scores, pooled);
}

std::vector<int64_t> look_back_window(const StepInfo& step, int64_t window) {
  return step.kind == StepKind::kScale ? trailing_window(step, window)
                                       : recent_window(step, window);
}

at::Tensor window_mask(const LayerStep& layer_step, int64_t first_position) {
  const KvCache& cache = *layer_step.cache;
  const auto& steps = cache.plan().geometry().steps;
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  at::Tensor mask = at::zeros({rows, heads, tokens}, at::kBool);
  bool* line = mask.mutable_data_ptr<bool>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t head = 0; head < heads; ++head, line += tokens) {
      const auto origins = cache.origins(layer_step.layer, row, head);
      const auto earlier = [&](const TokenOrigin& origin) {
        return position_of(origin, steps) < first_position;
      };
      // Stored tokens are in the order of their positions, the current step's follow.
      const int64_t begin = std::partition_point(origins.begin(), origins.end(), earlier) -
                            origins.begin() +
                            std::max<int64_t>(0, first_position - layer_step.step.first_token);
      std::fill(line + begin, line + tokens, true);
    }
  }
  return mask.to(layer_step.k.device());
}

}  // namespace kvscope
