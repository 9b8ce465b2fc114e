#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/measures/token_places.h"

namespace kvscope {

/// What is near a query.
enum class Nearness : uint8_t {
  kRadius,  ///< a disc around its centre
  kRows,    ///< a band of rows, across the whole image
  kColumns  ///< a band of columns
};

/// Share of the attention of image tokens that falls within so many percent of the image's side of
/// them, on tokens of whatever grid (TokenPlaces), mean over a step's sampled queries. Condition
/// tokens are near nothing.
class NearMass : public MeanOfSamples {
 public:
  NearMass(Nearness nearness, int64_t sampled_queries)
      : nearness_(nearness), sampled_queries_(sampled_queries) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  /// Which of the radii is the first to reach each of the first `keys` tokens; their number where
  /// none does.
  [[nodiscard]] std::vector<uint8_t> reached(int64_t query_position, int64_t keys) const;

  Nearness nearness_;
  int64_t sampled_queries_;
  TokenPlaces places_;
};

}  // namespace kvscope
