#include "analysis/metrics/clip_judge.h"
#include "analysis/metrics/metric_inputs.h"

namespace kvscope {

/// Human preference score v2 (Wu et al. 2023): the cosine of a CLIP ViT-H-14 that was trained on
/// choices of people, 100 times as its benchmark prints it.
Metric metric_hps_v2() {
  return {.name = "hps_v2",
          .label = "HPS v2",
          .title = "HPS v2 of image and prompt",
          .note =
              "100 cosine of the network in metrics.weights.hps_v2 (2.0 and 2.1 do not compare), "
              "in single precision; the picture as a tensor, resized bicubic with antialiasing "
              "(torchvision from 0.17 on)",
          .lowest = -100,
          .highest = 100,
          .decimals = 2,
          .decimals_by_budget = 2,
          .implementation = "hps v2, tensor resize with antialiasing, exact GELU",
          .inputs = hps_inputs(),
          .summarise = summarise_mean,
          .make = [](const MetricInputs& inputs) {
            return MeasureImage([cosine = hps_cosines(inputs)](const MeasuredImage& seen) {
              return 100 * cosine(seen);
            });
          }};
}

}  // namespace kvscope
