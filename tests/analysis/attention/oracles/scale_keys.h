#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// Mean of `number`(key, key of the scale before whose cell holds its centre) over the tokens of a
/// scale whose counterpart is held.
template <class Number>
double naive_scale_keys(const NaiveRecording& seen, const Where& where, const Number& number) {
  const int64_t step = where("step");
  if (step == 0) return 0;
  const StepInfo& info = seen.steps()[static_cast<size_t>(step)];
  const StepInfo& before = seen.steps()[static_cast<size_t>(step) - 1];
  const auto layer = static_cast<size_t>(where("layer"));
  const int64_t head = where("head");
  Mean mean;
  seen.each_image([&](const NaiveGeneration& generation, int64_t row) {
    const NaiveStep& own = generation[static_cast<size_t>(step)][layer];
    const NaiveStep& other = generation[static_cast<size_t>(step) - 1][layer];
    for (int64_t y = 0; y < info.grid_height; ++y) {
      for (int64_t x = 0; x < info.grid_width; ++x) {
        const auto cell = [](int64_t i, int64_t n, int64_t m) {
          return static_cast<int64_t>(std::floor(
              (static_cast<double>(i) + 0.5) / static_cast<double>(n) * static_cast<double>(m) +
              1e-12));
        };
        const int64_t match = cell(y, info.grid_height, before.grid_height) * before.grid_width +
                              cell(x, info.grid_width, before.grid_width);
        if (!own.held[row][head][before.first_token + match].item<bool>()) continue;
        mean.add(number(own.k[row][head][y * info.grid_width + x], other.k[row][head][match]));
      }
    }
  });
  return mean.value();
}

}  // namespace kvscope
