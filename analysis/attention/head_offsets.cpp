#include "analysis/attention/head_offsets.h"

#include "policies/slots.h"

namespace kvscope {

void HeadOffsets::add(const LayerStep& layer_step,
                      int64_t rows,
                      std::span<const float> columns,
                      std::span<const int64_t> offsets) {
  const StepInfo& step = layer_step.step;
  // The last token is never fed, so no model has it attend.
  if (step.kind != StepKind::kToken || !step.stored) return;
  const CacheGeometry& geometry = layer_step.cache.plan().geometry();
  const int64_t begin = condition_tokens(geometry.steps);
  if (line_tokens_ == 0) {
    tokens_ = geometry.steps.back().first_token + geometry.steps.back().queries();
    line_tokens_ = geometry.line_tokens > 0 ? geometry.line_tokens : tokens_ - begin;
    lines_ = (tokens_ - begin + line_tokens_ - 1) / line_tokens_;
    const auto pairs = static_cast<size_t>(geometry.layers * geometry.heads);
    image_.assign(pairs * static_cast<size_t>(lines_ * (2 * line_tokens_ - 1)), 0.0);
    condition_.assign(pairs * static_cast<size_t>(tokens_), 0.0);
  }
  const int64_t own = step.first_token - begin;
  for (int64_t slot = 0; slot < rows * geometry.heads; ++slot) {
    const auto origins =
        layer_step.cache.origins(layer_step.layer, slot / geometry.heads, slot % geometry.heads);
    const int64_t pair = layer_step.layer * geometry.heads + slot % geometry.heads;
    double* image = &image_[static_cast<size_t>(pair * lines_ * (2 * line_tokens_ - 1))];
    double* condition = &condition_[static_cast<size_t>(pair * tokens_)];
    const float* weight = &columns[static_cast<size_t>(offsets[static_cast<size_t>(slot)])];
    const auto add_weight = [&](int64_t position) {
      const double mass = *weight++;
      if (position < begin) {
        condition[step.first_token - position] += mass;
        return;
      }
      const int64_t key = position - begin;
      const int64_t above = own / line_tokens_ - key / line_tokens_;
      const int64_t beside = key % line_tokens_ - own % line_tokens_;
      image[above * (2 * line_tokens_ - 1) + beside + line_tokens_ - 1] += mass;
    };
    for (const TokenOrigin& origin : origins) {
      add_weight(position_of(origin, geometry.steps));
    }
    add_weight(step.first_token);
  }
}

}  // namespace kvscope
