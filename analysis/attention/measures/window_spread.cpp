#include "analysis/attention/measures/window_spread.h"

#include <utility>

#include "analysis/attention/attention_axes.h"

namespace kvscope {

WindowSpread::WindowSpread(Number number, std::string unit, int64_t queries)
    : number_(number), unit_(std::move(unit)), queries_(queries) {}

StatisticInfo WindowSpread::info() const {
  return {.axes = {"layer"}, .unit = unit_, .needs = {.last_queries = true}, .by_default = true};
}

void WindowSpread::begin_model(const CacheGeometry& geometry) {
  sums_ = NamedArray::zeros({layer_axis(geometry.layers)});
  sums_.parameters = {{"queries", queries_}};
}

void WindowSpread::observe(ObservedStep& step) {
  if (step.step().index != last_attending_step(step.steps())) return;
  sums_.values[sums_.index(step.layer())] += step.last_queries_spread(queries_).*number_;
}

}  // namespace kvscope
