#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/step_groups.h"

namespace kvscope {

/// How many directions the outputs of a head span: a number of the singular values of the matrix
/// [sampled queries of a scale or prefill, or tokens of a line; head_dim] of what attention reads
/// for them, mean over a head's query heads and images. Near 1 where all queries get the same, as
/// from a sink whose value is broadcast. A next-token line's outputs are kept until it ends.
class OutputRank : public MeanOfSamples {
 public:
  /// `singular_values` [..., n] descending, in double -> [...].
  using Rank = at::Tensor (*)(const at::Tensor& singular_values);

  OutputRank(int64_t sampled_queries, Rank rank) : sampled_queries_(sampled_queries), rank_(rank) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  int64_t sampled_queries_;
  Rank rank_;
  std::vector<StepGroup> groups_;
  std::vector<size_t> group_of_;                  // [steps]
  std::vector<std::vector<at::Tensor>> outputs_;  // [layers] parts of the group so far
};

}  // namespace kvscope
