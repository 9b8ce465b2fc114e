#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/networks/inception.h"
#include "analysis/statistics/feature_distance.h"

namespace kvscope {

/// What a point's set of images is compared with.
struct InceptionReference {
  std::optional<at::Tensor> features{};     ///< [images, 2048]
  std::optional<FeatureMoments> moments{};  ///< of a statistics file, which has no features
};

/// The distance of `features` [images, 2048] from a reference.
using FeatureDistance = double (*)(const at::Tensor& features, const InceptionReference& reference);

/// Makes a metric of sets over Inception features of one convention: against the full-cache images
/// of the same prompts and seeds, or against metrics.fid_reference.
MeasureSet inception_set(const MetricInputs& inputs,
                         InceptionInput convention,
                         FeatureDistance distance);

/// What all of them are given.
std::vector<MetricInput> inception_inputs();

/// "299 x 299 by ..., ": how a convention resizes, for notes.
std::string resize_note(InceptionInput convention);

/// The Frechet distance as a metric.
Metric frechet_metric(InceptionInput convention);

}  // namespace kvscope
