#pragma once

#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/statistics/interval.h"
#include "experiments/ablation/ablation.h"
#include "experiments/results/summary.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What hiding one thing did to a point's images.
struct HiddenEffect {
  std::string hash{};     ///< first 12 digits of the point's; empty: nothing to hide
  Measured measured{};    ///< of the metric; missing where the point is
  Interval difference{};  ///< to nothing hidden, mean over images; NaN where there is none
  int64_t images = 0;
  /// [images of the full cache that have a value of everything hidden] how much worse the image is
  /// by the metric; -infinity for an image that equals its own under a metric without bounds.
  std::vector<double> losses{};
};

/// A metric of everything that was hidden.
struct AblationResult {
  Ablation ablation;
  Metric metric{};
  std::string model{};
  std::string reference_hash{};
  Measured reference{};                 ///< of the full cache; missing for metrics of pairs
  std::vector<HiddenEffect> effects{};  ///< [ablation.size()]
};

/// `points`: the full cache, then what hides anything, in the order of the ablation; `sweep`: what
/// was measured on them. A point that is not there has a missing effect, and leaves no losses at
/// all.
AblationResult ablation_result(const Ablation& ablation,
                               const std::vector<Point>& points,
                               const SweepSummary& sweep,
                               const Metric& metric);

/// [ablation.size()] how bad each thing was to hide, 1 the least: every image ranks them by its own
/// loss (equal ones share a rank), and these are the means over images. So an image that nothing
/// changed, whose metric is infinite, counts like any other. Empty where one has no value.
std::vector<double> mean_loss_ranks(const AblationResult& result);

}  // namespace kvscope
