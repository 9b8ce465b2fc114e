#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "analysis/attention/named_array.h"

namespace kvscope {

/// Weighted means under way: what was added to every element, and with how much weight. What not
/// all images have, such as the entropy of a query that is padding in some, is a mean over those
/// that have it.
class MeanArray {
 public:
  MeanArray() = default;
  explicit MeanArray(std::vector<ArrayAxis> axes, std::map<std::string, int64_t> parameters = {})
      : sums_(NamedArray::zeros(std::move(axes))), weights_(sums_.values.size()) {
    sums_.parameters = std::move(parameters);
  }

  template <class... Index>
  [[nodiscard]] size_t index(Index... along) const {
    return sums_.index(along...);
  }
  /// Adds the sum of samples of `weight` together.
  void add(size_t at, double sum, double weight = 1) {
    sums_.values[at] += sum;
    weights_[at] += weight;
  }
  /// 0 where nothing was added.
  [[nodiscard]] NamedArray mean() const {
    NamedArray array = sums_;
    for (size_t i = 0; i < weights_.size(); ++i) {
      if (weights_[i] > 0) array.values[i] /= weights_[i];
    }
    return array;
  }
  /// What was added to every element.
  [[nodiscard]] std::span<const double> weights() const { return weights_; }
  /// For AttentionStatistic::sums().
  [[nodiscard]] std::vector<std::span<double>> parts() { return {sums_.values, weights_}; }

 private:
  NamedArray sums_;
  std::vector<double> weights_;
};

}  // namespace kvscope
