#include <limits>

#include "analysis/metrics/token_pairs.h"

namespace kvscope {

/// Share of the sampled values, bits of codes or ids, that are those of the full cache's image: the
/// attention statistic loss.token_agreement over all steps of one image.
Metric metric_token_agreement() {
  return {.name = "token_agreement",
          .label = "Token agreement",
          .title = "Token agreement with the full cache",
          .meaning = "share of sampled bits or ids",
          .note =
              "share of all sampled values, bits of codes or ids, that are those of the full-cache "
              "image "
              "of the same seed; after the first difference the two images have different pasts",
          .scope = MetricScope::kPair,
          .of_tokens = true,
          .lowest = 0,
          .highest = 1,
          .undefined = "no tokens of both images in the result files",
          .summarise = summarise_mean,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage([](const MeasuredImage& pair) {
              int64_t values = 0;
              int64_t differing = 0;
              for (const StepAgreement& step : agreement_of(pair)) {
                values += step.values;
                differing += step.differing;
              }
              if (values == 0) return std::numeric_limits<double>::quiet_NaN();
              return static_cast<double>(values - differing) / static_cast<double>(values);
            });
          }};
}

}  // namespace kvscope
