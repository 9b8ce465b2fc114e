#include <ATen/ATen.h>

#include <array>

#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "policies/component.h"
#include "policies/signals/head_mean.h"
#include "policies/signals/packed_rows.h"

namespace kvscope {
namespace {

/// TOVA (arXiv:2401.06104): the attention that the newest query pays to each token, mean over the
/// query heads of the layer, so that all of them keep the same tokens.
class LastQuery : public Score {
 public:
  explicit LastQuery(bool whole_scale) : whole_scale_(whole_scale) {}

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const bool whole = whole_scale_ && layer_step.step.kind == StepKind::kScale;
    const at::Tensor attention =
        whole ? attention_of_all(layer_step) : attention_of_last(layer_step);
    return mean_over_heads(layer_step, fill_padding(attention, layer_step, 1, 0.0));
  }

 private:
  [[nodiscard]] static at::Tensor attention_of_last(const LayerStep& layer_step) {
    const std::array last{layer_step.step.queries() - 1};
    return mean_over_group(layer_step, attention_rows(layer_step.q, layer_step.lse,
                                                      layer_step.cache->history(layer_step.layer),
                                                      layer_step.k, layer_step.softmax_scale, last,
                                                      layer_step.step.kind == StepKind::kPrefill));
  }

  [[nodiscard]] static at::Tensor attention_of_all(const LayerStep& layer_step) {
    return column_sum(layer_step.q, layer_step.lse, layer_step.cache->history(layer_step.layer),
                      layer_step.k, layer_step.softmax_scale) /
           static_cast<double>(layer_step.group() * layer_step.step.queries());
  }

  bool whole_scale_;
};

}  // namespace

/// Equation: arXiv:2401.06104. A prefill and the tokens of a next-token model always look from
/// their last query, as published.
std::unique_ptr<Score> make_score_last_query(Options& options) {
  return std::make_unique<LastQuery>(
      options.word({.key = "queries",
                    .default_value = "whole_scale",
                    .allowed = {"whole_scale", "last"},
                    .help = "which queries look in a step of a next-scale model: the mean over all "
                            "of the scale, or the last one alone, its lower right corner"}) ==
      "whole_scale");
}

}  // namespace kvscope
