#include <limits>

#include "analysis/metrics/metric.h"
#include "analysis/shapes/judge.h"

namespace kvscope {

/// 1 where the image shows what its caption of the shapes task asks for, 0 where it does not.
Metric metric_shape_eval() {
  return {.name = "shape_eval",
          .label = "ShapeEval",
          .title = "ShapeEval",
          .meaning = "share of right images",
          .lowest = 0,
          .highest = 1,
          .beside_images = "ShapeEval {:.2f}",
          .standard = true,
          .undefined = "the prompts are not captions of the shapes task",
          .summarise = summarise_share,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage([](const MeasuredImage& one) {
              if (one.skill.empty()) return std::numeric_limits<double>::quiet_NaN();
              return shapes::judge(one.image, one.prompt).correct ? 1.0 : 0.0;
            });
          }};
}

}  // namespace kvscope
