#include <algorithm>
#include <limits>

#include "analysis/metrics/token_pairs.h"

namespace kvscope {

/// The step, from 0, that samples the first value other than the full cache's: what the attention
/// statistic loss.first_divergence counts. Infinite where the two images never part.
Metric metric_first_divergence() {
  return {.name = "first_divergence",
          .label = "First divergence",
          .title = "First step that differs from the full cache",
          .unit = "step",
          .note =
              "mean over images that differ of the step, counted from 0, in which the first bit or "
              "id other than the full cache's is sampled",
          .scope = MetricScope::kPair,
          .of_tokens = true,
          .lowest = 0,
          .decimals = 1,
          .decimals_by_budget = 1,
          .undefined = "no tokens of both images in the result files",
          .left_out = "images without divergence",
          .all_left_out = "no divergence",
          .summarise = summarise_finite_mean,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage([](const MeasuredImage& pair) {
              const std::vector<StepAgreement> steps = agreement_of(pair);
              if (steps.empty()) return std::numeric_limits<double>::quiet_NaN();
              const auto first = std::ranges::find_if(
                  steps, [](const StepAgreement& step) { return step.differing > 0; });
              if (first == steps.end()) return std::numeric_limits<double>::infinity();
              return static_cast<double>(first - steps.begin());
            });
          }};
}

}  // namespace kvscope
