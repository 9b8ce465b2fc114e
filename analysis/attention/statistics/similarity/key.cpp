#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/scale_keys.h"

namespace kvscope {
namespace {

HeadStepMean::Sample similarity(ObservedStep& step, int64_t image, int64_t head) {
  return mean_over_scale_keys(step, image, head, [](const ScaleKeys& keys) {
    return at::cosine_similarity(keys.current, keys.previous, 1);
  });
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_similarity_key(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(scale_keys_info("cosine"), similarity);
}

}  // namespace kvscope
