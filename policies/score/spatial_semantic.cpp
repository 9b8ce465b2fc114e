#include <ATen/ATen.h>

#include "policies/component.h"
#include "policies/signals/attention_sums.h"
#include "policies/signals/observation_window.h"
#include "policies/signals/token_rows.h"

namespace kvscope {
namespace {

/// SSD's two rules (arXiv:2510.18716): spatial heads (kind 1 of the plan) keep their newest tokens,
/// semantic heads (kind 0) those with the most attention so far,
///   S_j += a_t[j] at every step t, dropped with the token.
class SpatialSemantic : public Score {
 public:
  explicit SpatialSemantic(int64_t recent_tokens) : recent_tokens_(recent_tokens) {}

  void begin_generation(int64_t /*rows*/) override { sums_.begin_generation(); }
  void observe(const LayerStep& layer_step) override { sums_.observe(layer_step); }
  void settle(const LayerStep& layer_step, const KeptIndices* kept) override {
    sums_.settle(layer_step, kept);
  }

  [[nodiscard]] std::vector<int64_t> window(const StepInfo& step, int64_t most) const override {
    return recent_window(step, fitting_window(recent_tokens_, most));
  }

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kSemanticSpatial; }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    at::Tensor scores = sums_.sums(layer_step);
    const at::Tensor positions = token_positions(layer_step);
    for (int64_t head = 0; head < scores.size(1); ++head) {
      if (layer_step.cache->plan().head_type(layer_step.layer, head) == 0) continue;
      scores.select(1, head).copy_(positions.select(1, head));
    }
    return scores;
  }

 private:
  int64_t recent_tokens_;
  AttentionSums sums_;
};

}  // namespace

/// A token's sum begins with the attention that it pays to itself. The plan says which heads are
/// spatial (allocate: head_type).
std::unique_ptr<Score> make_score_spatial_semantic(Options& options) {
  return std::make_unique<SpatialSemantic>(options.integer(
      {.key = "recent_tokens",
       .default_value = 32,
       .min = 0,
       .unit = "tokens",
       .help = "newest tokens that stay in every head (with protect: window), 32 as the paper's "
               "plots tell; a budget of fewer halves it. The paper's listing has none, but appends "
               "a token after the eviction that precedes it: 1 says the same"}));
}

}  // namespace kvscope
