#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/models/infinity/generate.h"
#include "experiments/verify/golden_file.h"
#include "policies/policy.h"

namespace kvscope::verify {

/// A recorded generation of Infinity, as far as it is needed to run it again.
struct InfinityRun {
  infinity::TransformerConfig config;
  infinity::ImageGeometry image;
  infinity::TransformerWeights weights;
  infinity::TextFeatures text;
  infinity::GenerateOptions options;  ///< with the recorded bits
  std::optional<uint64_t> seed;
  int64_t images = 0;
};

/// Reads configuration, weights, text and bits of the kinds "infinity" and "infinity+scalekv".
/// Throws Error(kInput) naming what is missing or does not fit.
InfinityRun read_infinity_run(GoldenFile& file);

/// The cache of the run with the last scale stored too, as the reference does: the recorded caches
/// hold it.
CacheGeometry reference_geometry(const InfinityRun& run);

}  // namespace kvscope::verify
