#pragma once

#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {

/// A head's keys of a scale and, for each, the key of the scale before at the same place of the
/// image, in double on the step's device.
struct ScaleKeys {
  at::Tensor current;   ///< [pairs, head_dim]
  at::Tensor previous;  ///< likewise
};

/// The coarser grid is enlarged to the finer one as AMS-KV (arXiv:2511.16047) does, whose kind of
/// interpolation is not published; here each key goes with the one whose cell holds its centre, so
/// that keys which a policy dropped, or packed, need no other treatment than being left out. Keys
/// are those of the cache, rotated where the model rotates them. Nothing for the first scale. Needs
/// layer_step.
ScaleKeys scale_keys(ObservedStep& step, int64_t image, int64_t head);

/// Mean over those pairs of `number`(current, previous) -> [pairs].
HeadStepMean::Sample mean_over_scale_keys(ObservedStep& step,
                                          int64_t image,
                                          int64_t head,
                                          at::Tensor (*number)(const ScaleKeys& keys));

/// What statistics of these keys have in common.
StatisticInfo scale_keys_info(const char* unit);

}  // namespace kvscope
