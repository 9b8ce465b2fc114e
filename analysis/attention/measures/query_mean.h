#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {

/// A statistic [layer, head, step] that is the mean over a step's sampled queries, a head's query
/// heads and images of one number of what a query pays. Queries that are padding do not count.
class QueryMean : public MeanOfSamples {
 public:
  using Number = std::function<double(std::span<const float> weights)>;

  /// Names `sampled_queries` (0: all) among the parameters of its array.
  QueryMean(std::string unit,
            int64_t sampled_queries,
            Number number,
            std::map<std::string, int64_t> parameters = {});

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  std::string unit_;
  int64_t sampled_queries_;
  Number number_;
  std::map<std::string, int64_t> parameters_;
};

/// Entropy of what a query pays, nats.
double entropy_of(std::span<const float> weights);

}  // namespace kvscope
