#include <algorithm>

#include "analysis/metrics/clip_judge.h"
#include "analysis/metrics/metric_inputs.h"

namespace kvscope {

/// CLIPScore of Hessel et al. 2021: 2.5 max(cosine, 0). Their prefix "A photo depicts" is not put
/// in front of the prompt.
Metric metric_clip_hessel() {
  return {.name = "clip_hessel",
          .label = "CLIPScore (Hessel)",
          .title = "CLIPScore of image and prompt",
          .note = clip_note("mean of 2.5 max(cosine, 0), no prefix"),
          .lowest = 0,
          .highest = 2.5,
          .implementation = "clip, OpenAI preprocessing, 2.5 max(cosine, 0)",
          .inputs = clip_inputs(),
          .summarise = summarise_mean,
          .make = [](const MetricInputs& inputs) {
            return MeasureImage([cosine = clip_cosines(inputs)](const MeasuredImage& seen) {
              return 2.5 * std::max(cosine(seen), 0.0);
            });
          }};
}

}  // namespace kvscope
