#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/attention/named_array.h"
#include "analysis/attention/statistic.h"

namespace kvscope {

/// A statistic that keeps maps of the first image: so many numbers that they are kept in fp32.
class FirstImageMap : public AttentionStatistic {
 public:
  [[nodiscard]] NamedArray finish(int64_t /*images*/) const override {
    NamedArray array = map_;
    array.values.assign(numbers_.begin(), numbers_.end());
    return array;
  }
  [[nodiscard]] std::vector<std::span<double>> sums() override { return {}; }
  [[nodiscard]] std::vector<std::span<float>> maps() override { return {numbers_}; }

 protected:
  /// All 0. `map` has no values yet.
  void begin_map(NamedArray map) {
    map_ = std::move(map);
    map_.precision = ArrayPrecision::kHalf;
    size_t numbers = 1;
    for (const ArrayAxis& axis : map_.axes) numbers *= static_cast<size_t>(axis.size());
    numbers_.assign(numbers, 0);
  }
  /// Where the innermost axis begins at these indices of the others.
  template <class... Index>
  [[nodiscard]] float* line(Index... along) {
    return &numbers_[map_.index(along..., 0)];
  }

 private:
  NamedArray map_;
  std::vector<float> numbers_;
};

}  // namespace kvscope
