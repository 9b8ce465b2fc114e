#include <ATen/ATen.h>

#include "policies/component.h"

namespace kvscope {
namespace {

/// Order in which an evenly spread part of a grid grows, in [0, 1): ordered dithering. Of a grid's
/// tokens, those below x are a share x of them, spread over rows and columns alike.
double dither_order(int64_t y, int64_t x) {
  double order = 0;
  double weight = 0.5;
  for (int bit = 0; bit < 8; ++bit) {
    order += static_cast<double>(((x ^ y) >> bit) & 1) * weight;
    weight /= 2;
    order += static_cast<double>((y >> bit) & 1) * weight;
    weight /= 2;
  }
  return order;
}

/// AMS-KV (arXiv:2511.16047): first in, first out, scale by scale. Where a scale stays in part, an
/// evenly spread part of it. In a next-token model, whose steps have one token, the newest stay.
class ScaleFifo : public Score {
 public:
  explicit ScaleFifo(bool spread) : spread_(spread) {}

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const KvCache& cache = *layer_step.cache;
    const int64_t rows = layer_step.k.size(0);
    const int64_t heads = layer_step.k.size(1);
    const int64_t tokens = max_tokens(layer_step);
    at::Tensor scores = at::zeros({rows, heads, tokens}, at::kFloat);
    auto* line = scores.mutable_data_ptr<float>();
    for (int64_t slot = 0; slot < rows * heads; ++slot, line += tokens) {
      const auto history = cache.origins(layer_step.layer, slot / heads, slot % heads);
      const TokenView view{.geometry = cache.plan().geometry(),
                           .step = layer_step.step,
                           .history = history,
                           .window = {}};
      for (int64_t token = 0; token < view.available(); ++token) {
        line[token] = static_cast<float>(score_of(view, token));
      }
    }
    return scores;
  }

 private:
  [[nodiscard]] double score_of(const TokenView& view, int64_t token) const {
    const StepInfo& writer = view.writer(token);
    const int64_t offset = view.padded_position(token) - writer.first_token;
    if (!spread_ || writer.kind != StepKind::kScale) {
      return static_cast<double>(writer.first_token + offset);
    }
    // As far from the next scale's scores as positions are.
    const double order = dither_order(offset / writer.grid_width, offset % writer.grid_width);
    return static_cast<double>(writer.first_token) +
           (1 - order) * static_cast<double>(writer.queries() - 1);
  }

  bool spread_;
};

}  // namespace

std::unique_ptr<Score> make_score_scale_fifo(Options& options) {
  return std::make_unique<ScaleFifo>(
      options.word(
          {.key = "partial",
           .default_value = "spread",
           .allowed = {"spread", "newest"},
           .help =
               "what stays of a scale that stays in part: evenly spread tokens or its last lines; "
               "the paper drops whole scales, a budget in tokens rarely ends with one"}) ==
      "spread");
}

}  // namespace kvscope
