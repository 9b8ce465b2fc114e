#include "core/engine/waiting_step.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace kvscope {

void WaitingStep::add(LayerStep layer_step) {
  if (layer_step.layer == 0) clear();
  if (std::cmp_not_equal(layer_step.layer, layers_.size())) {
    throw Error(ErrorKind::kAudit,
                fmt::format("step {}: layer {} attends after {} layers of the step; expected every "
                            "layer once, in order, where all are stored together",
                            layer_step.step.index, layer_step.layer, layers_.size()));
  }
  if (layers_.empty()) {
    std::vector<int64_t> shape = layer_step.k.sizes().vec();
    shape.insert(shape.begin(), layer_step.cache->plan().geometry().layers);
    k_ = at::empty(shape, layer_step.k.options());
    v_ = at::empty(shape, layer_step.v.options());
  }
  const auto taken_over = [&](const at::Tensor& of_step, const at::Tensor& of_layer) {
    return of_step.select(0, layer_step.layer).copy_(of_layer);
  };
  layer_step.k = taken_over(k_, layer_step.k);
  layer_step.v = taken_over(v_, layer_step.v);
  layers_.push_back(std::move(layer_step));
}

bool WaitingStep::is_complete() const {
  return !layers_.empty() && std::cmp_equal(layers_.size(), k_.size(0));
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
