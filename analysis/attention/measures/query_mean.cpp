#include "analysis/attention/measures/query_mean.h"

#include <cmath>
#include <utility>

#include "analysis/attention/attention_axes.h"

namespace kvscope {

QueryMean::QueryMean(std::string unit,
                     int64_t sampled_queries,
                     Number number,
                     std::map<std::string, int64_t> parameters)
    : unit_(std::move(unit)),
      sampled_queries_(sampled_queries),
      number_(std::move(number)),
      parameters_(std::move(parameters)) {
  parameters_["sampled_queries"] = sampled_queries;
}

StatisticInfo QueryMean::info() const {
  return {.axes = {"layer", "head", "step"}, .unit = unit_, .needs = {.attention_rows = true}};
}

void QueryMean::begin_model(const CacheGeometry& geometry) {
  means_ = MeanArray(head_step_axes(geometry), parameters_);
}

void QueryMean::observe(ObservedStep& step) {
  step.visit_queries(sampled_queries_, [&](const QueryWeights& query) {
    means_.add(means_.index(step.layer(), query.head, step.step().index), number_(query.weights));
  });
}

double entropy_of(std::span<const float> weights) {
  double entropy = 0;
  for (const float weight : weights) {
    const auto share = static_cast<double>(weight);
    if (share > 0) entropy -= share * std::log(share);
  }
  return entropy;
}

}  // namespace kvscope
