#include "analysis/metrics/clip_judge.h"
#include "analysis/metrics/metric_inputs.h"

namespace kvscope {

/// The mean cosine that papers call CLIP score.
Metric metric_clip_cosine() {
  return {.name = "clip_cosine",
          .label = "CLIP cosine",
          .title = "CLIP cosine of image and prompt",
          .note = clip_note("mean cosine"),
          .lowest = -1,
          .highest = 1,
          .decimals = 4,
          .beside_images = "CLIP {:.3f}",
          .implementation = "clip, OpenAI preprocessing, cosine",
          .inputs = clip_inputs(),
          .summarise = summarise_mean,
          .make = clip_cosines};
}

}  // namespace kvscope
