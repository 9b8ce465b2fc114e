#include <ATen/ATen.h>

#include <algorithm>

#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/component.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/packed_rows.h"
#include "policies/signals/recent_queries.h"

namespace kvscope {
namespace {

/// Bands that structural heads rank tokens in, attention deciding inside a band. Each is 2^60 times
/// the next one, so that weights between 2^-59 and 1 keep all their digits and never reach over.
constexpr float kBandBelow = 0x1p-60F;
constexpr float kBandAbove = 0x1p60F;
constexpr double kLeastWeight = 0x1p-59;

/// HACK (arXiv:2504.09261): the mean attention of `observers` queries, uniformly spaced over the
/// step, ranks the tokens of contextual heads (kind 1 of the plan). Structural heads (kind 0)
/// keep the first scales, then the current scale, and the same attention ranks the rest.
class HeadPattern : public Score {
 public:
  HeadPattern(int64_t observers, int64_t first_scales)
      : observers_(observers), first_scales_(first_scales), recent_(observers) {}

  void begin_generation(int64_t /*rows*/) override { recent_.begin_generation(); }
  void observe(const LayerStep& layer_step) override {
    if (layer_step.step.kind != StepKind::kScale) recent_.observe(layer_step);
  }

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kStructuralContextual; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const at::Tensor attention = observed(layer_step);
    const Plan& plan = layer_step.cache->plan();
    at::Tensor bands = at::ones(attention.sizes(), at::kFloat);
    bool structural = false;
    for (int64_t head = 0; head < attention.size(1); ++head) {
      if (plan.head_type(layer_step.layer, head) == 1) continue;
      structural = true;
      for (int64_t row = 0; row < attention.size(0); ++row) {
        set_bands(layer_step, row, head, bands[row][head].mutable_data_ptr<float>());
      }
    }
    if (!structural) return attention;
    return attention.clamp(kLeastWeight, 1.0) * bands.to(attention.device());
  }

 private:
  /// [rows, heads, tokens]: where a step has one query, of the last ones.
  [[nodiscard]] at::Tensor observed(const LayerStep& layer_step) const {
    const StepInfo& step = layer_step.step;
    if (step.kind == StepKind::kToken) {
      return recent_.attention(layer_step, observers_).mean(2);
    }
    const std::vector<int64_t> queries =
        patch_centres(step.queries(), std::min(observers_, step.queries()), PatchCentre::kSpread);
    const int64_t count = layer_step.group() * std::ssize(queries);
    const at::Tensor rows = attention_rows(
        layer_step.q, layer_step.lse, layer_step.cache->history(layer_step.layer), layer_step.k,
        layer_step.softmax_scale, queries, step.kind == StepKind::kPrefill);
    fill_padding(rows, layer_step, count, 0.0);
    return sum_over_lines(layer_step, rows, count, 0.0) / static_cast<double>(count);
  }

  void set_bands(const LayerStep& layer_step, int64_t row, int64_t head, float* bands) const {
    const KvCache& cache = *layer_step.cache;
    const StepInfo& current = layer_step.step;
    const CacheGeometry& geometry = cache.plan().geometry();
    const auto history = cache.origins(layer_step.layer, row, head);
    const TokenView view{.geometry = geometry, .step = current, .history = history, .window = {}};
    // One token is no scale: the last line is what a next-token model has instead.
    const int64_t line = std::max<int64_t>(geometry.line_tokens, 1);
    const int64_t recent_from =
        current.kind == StepKind::kToken ? current.first_token + 1 - line : current.first_token;
    for (int64_t token = 0; token < view.available(); ++token) {
      const StepInfo& writer = view.writer(token);
      const bool first = writer.kind == StepKind::kPrefill ||
                         (writer.kind == StepKind::kScale && writer.index < first_scales_);
      const bool recent = view.padded_position(token) >= recent_from;
      bands[token] = first ? kBandAbove : recent ? 1.0F : kBandBelow;
    }
  }

  int64_t observers_;
  int64_t first_scales_;
  RecentQueries recent_;
};

}  // namespace

/// HACK's soft merge at the last step is left out: that step's keys are never read again. The plan
/// says which heads are contextual (allocate: head_pattern).
std::unique_ptr<Score> make_score_head_pattern(Options& options) {
  const int64_t observers =
      options.integer({.key = "observers",
                       .default_value = 32,
                       .min = 1,
                       .unit = "queries",
                       .help = "N_obs, queries that look; the last ones of a next-token model"});
  const int64_t first = options.integer(
      {.key = "first_scales",
       .default_value = 2,
       .min = 0,
       .unit = "scales",
       .help = "coarsest scales that structural heads put first; a next-token model has its "
               "condition tokens instead, and its last line for the current scale"});
  return std::make_unique<HeadPattern>(observers, first);
}

}  // namespace kvscope
