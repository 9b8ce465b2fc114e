#pragma once

#include <cstdint>
#include <vector>

#include "analysis/metrics/metric.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// A metric of the images that two points share, and what is not in it.
struct PairedImages {
  std::vector<double> point{};  ///< [pairs], finite as those of the other
  std::vector<double> reference{};
  int64_t without_value = 0;       ///< pairs in which a side has none
  int64_t infinite = 0;            ///< or an infinite one: two images that do not differ at all
  int64_t unpaired = 0;            ///< images of the point without a partner
  int64_t unpaired_reference = 0;  ///< and of the other
};

/// Pairs images by prompt and seed, which base seed and replica are part of.
PairedImages paired_images(const PointSummary& point,
                           const PointSummary& reference,
                           const Metric& metric);

}  // namespace kvscope
