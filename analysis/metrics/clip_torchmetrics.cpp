#include <algorithm>

#include "analysis/metrics/clip_judge.h"
#include "analysis/metrics/metric_inputs.h"

namespace kvscope {
namespace {

/// The mean is cut off at 0, not each value: torchmetrics' documentation says the other.
MetricSummary summarise_cut_mean(std::span<const double> values) {
  MetricSummary summary = summarise_mean(values);
  summary.interval.estimate = std::max(summary.interval.estimate, 0.0);
  summary.interval.low = std::max(summary.interval.low, 0.0);
  summary.interval.high = std::max(summary.interval.high, 0.0);
  return summary;
}

}  // namespace

/// 100 times the cosine, as torchmetrics adds it up.
Metric metric_clip_torchmetrics() {
  return {.name = "clip_torchmetrics",
          .label = "CLIP score (100)",
          .title = "CLIP score of image and prompt",
          .note = clip_note("max(mean of 100 cosine, 0) as torchmetrics averages, without its "
                            "faults (a crop one pixel off, no end token in long prompts)"),
          .lowest = -100,
          .highest = 100,
          .decimals = 2,
          .decimals_by_budget = 1,
          .implementation = "clip, OpenAI preprocessing, 100 cosine",
          .inputs = clip_inputs(),
          .summarise = summarise_cut_mean,
          .make = [](const MetricInputs& inputs) {
            return MeasureImage([cosine = clip_cosines(inputs)](const MeasuredImage& seen) {
              return 100 * cosine(seen);
            });
          }};
}

}  // namespace kvscope
