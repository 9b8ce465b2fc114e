#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/scale_keys.h"

namespace kvscope {
namespace {

HeadStepMean::Sample distance(ObservedStep& step, int64_t image, int64_t head) {
  return mean_over_scale_keys(step, image, head, [](const ScaleKeys& keys) {
    return at::linalg_vector_norm(keys.current - keys.previous, 2, {1});
  });
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_distance_key(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(scale_keys_info("L2 norm"), distance);
}

}  // namespace kvscope
