#include "core/engine/waiting_step.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace kvscope {

void WaitingStep::add(const LayerStep& layer_step, std::optional<KeptIndices> attended) {
  if (layer_step.layer == 0) clear();
  if (std::cmp_not_equal(layer_step.layer, layers_.size())) {
    throw Error(ErrorKind::kAudit,
                fmt::format("step {}: layer {} attends after {} layers of the step; expected every "
                            "layer once, in order, where all are stored together",
                            layer_step.step.index, layer_step.layer, layers_.size()));
  }
  if (layers_.empty()) {
    step_ = layer_step.step;
    std::vector<int64_t> shape = layer_step.k.sizes().vec();
    shape.insert(shape.begin(), layer_step.cache.plan().geometry().layers);
    k_ = at::empty(shape, layer_step.k.options());
    v_ = at::empty(shape, layer_step.v.options());
  }
  k_.select(0, layer_step.layer).copy_(layer_step.k);
  v_.select(0, layer_step.layer).copy_(layer_step.v);
  layers_.push_back({.cache = &layer_step.cache,
                     .rotation = layer_step.rotation,
                     .softmax_scale = layer_step.softmax_scale,
                     .q = layer_step.q,
                     .k = k_.select(0, layer_step.layer),
                     .v = v_.select(0, layer_step.layer),
                     .lse = layer_step.lse,
                     .hidden = layer_step.hidden,
                     .query_weight = layer_step.query_weight,
                     .attended = std::move(attended)});
}

bool WaitingStep::is_complete() const {
  return !layers_.empty() && std::cmp_equal(layers_.size(), k_.size(0));
}

std::vector<LayerStep> WaitingStep::layers() const {
  std::vector<LayerStep> steps;
  steps.reserve(layers_.size());
  for (const Layer& layer : layers_) {
    steps.push_back({.step = step_,
                     .layer = static_cast<int64_t>(steps.size()),
                     .cache = *layer.cache,
                     .q = layer.q,
                     .k = layer.k,
                     .v = layer.v,
                     .lse = layer.lse,
                     .softmax_scale = layer.softmax_scale,
                     .hidden = layer.hidden,
                     .query_weight = layer.query_weight,
                     .rotation = layer.rotation,
                     .attended = layer.attended ? &*layer.attended : nullptr});
  }
  return steps;
}

int64_t WaitingStep::bytes() const {
  return layers_.empty() ? 0 : static_cast<int64_t>(k_.nbytes() + v_.nbytes());
}

void WaitingStep::clear() {
  layers_.clear();
  k_ = at::Tensor();
  v_ = at::Tensor();
}

}  // namespace kvscope
