#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Squared distance of a token's keys, or values, in the two rows of an image, mean over images.
inline double naive_guidance_difference(const NaiveRecording& seen,
                                        const Where& where,
                                        at::Tensor NaiveStep::*part) {
  Mean mean;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const int64_t other = row + seen.images;
    if (where("key") < std::max(seen.padding_of(row), seen.padding_of(other))) return;
    for (size_t step = 0; step < generation.size(); ++step) {
      const int64_t token = where("key") - seen.steps()[step].first_token;
      const at::Tensor& all = generation[step][static_cast<size_t>(where("layer"))].*part;
      if (token < 0 || token >= all.size(2)) continue;
      for (int64_t channel = 0; channel < all.size(3); ++channel) {
        const double one = all[row][where("head")][token][channel].item<double>();
        const double unconditional = all[other][where("head")][token][channel].item<double>();
        mean.sum += std::pow(one - unconditional, 2);
      }
      mean.weight += 1;
    }
  });
  return mean.value();
}

}  // namespace kvscope
