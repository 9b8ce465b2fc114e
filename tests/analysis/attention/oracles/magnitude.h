#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Largest absolute value over all images, tokens and channels for which `counts`(position,
/// channel) of `part`(step, row) -> [queries, channels], padding left out.
template <class Part, class Counts>
double naive_magnitude(const NaiveRecording& seen,
                       int64_t layer,
                       const Part& part,
                       const Counts& counts) {
  double largest = 0;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    for (size_t step = 0; step < generation.size(); ++step) {
      const at::Tensor all = part(generation[step][static_cast<size_t>(layer)], row).contiguous();
      const auto* number = all.template const_data_ptr<double>();
      for (int64_t query = 0; query < all.size(0); ++query) {
        const int64_t position = seen.steps()[step].first_token + query;
        for (int64_t channel = 0; channel < all.size(1); ++channel, ++number) {
          if (position >= seen.padding_of(row) && counts(position, channel)) {
            largest = std::max(largest, std::abs(*number));
          }
        }
      }
    }
  });
  return largest;
}

}  // namespace kvscope
