#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/observed_step.h"

namespace kvscope {

/// What every key of the generations under way received so far, on average over the queries that
/// saw it: who attracts attention shows over many queries only, and on next-token models a step has
/// one. Two numbers per key of every head, forgotten as the next generation begins.
class ReceivedMass {
 public:
  /// Call it once for every layer of every step, with column sums granted.
  void observe(ObservedStep& step);

  /// Of the key at `position`; 0 where no query saw it. The layer has been observed.
  [[nodiscard]] double mean(int64_t layer, int64_t image, int64_t head, int64_t position) const;

 private:
  struct Layer {
    std::vector<double> sums;      // [images][heads][tokens]
    std::vector<int64_t> viewers;  // likewise
    int64_t heads = 0;
    int64_t tokens = 0;
  };

  std::vector<Layer> layers_;
};

}  // namespace kvscope
