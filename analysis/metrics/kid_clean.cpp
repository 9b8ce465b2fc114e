#include <fmt/format.h>

#include "analysis/metrics/inception_set.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

double distance_from(const at::Tensor& features, const InceptionReference& reference) {
  if (!reference.features) {
    throw Error(ErrorKind::kInput,
                "metrics.fid_reference is a file of statistics, which has no features of single "
                "images; the kernel distance needs a folder of pictures");
  }
  return kernel_distance(features, *reference.features);
}

MeasureSet kernel_set(const MetricInputs& inputs) {
  return inception_set(inputs, InceptionInput::kClean, distance_from);
}

}  // namespace

/// Kernel inception distance (Binkowski et al. 2018).
Metric metric_kid_clean() {
  return {.name = "kid_clean",
          .label = "KID (clean)",
          .title = "KID to the full cache (clean-fid resize)",
          .meaning = "of the set of images",
          .note = fmt::format("{}; polynomial kernel of degree 3, unbiased, mean over 100 subsets "
                              "of at most 1000 images",
                              resize_note(InceptionInput::kClean)),
          .scope = MetricScope::kSet,
          .higher_is_better = false,
          .decimals = 4,
          .decimals_by_budget = 4,
          .undefined = "fewer than two images with a full-cache image of the same prompt and seed",
          .left_out = "images without a full-cache image",
          .all_left_out = "no full-cache images",
          .implementation = "inception 2015-12-05, clean-fid resize; 100 subsets of 1000, seed 0",
          .inputs = inception_inputs(),
          .make_of_set = kernel_set};
}

}  // namespace kvscope
