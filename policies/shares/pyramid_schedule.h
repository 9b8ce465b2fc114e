#pragma once

#include <cstdint>
#include <vector>

namespace kvscope {

/// PyramidKV (Cai et al., arXiv:2406.02069): lower layers keep more, on a straight line.

/// KVCache-Factory's integers: tokens that each of `layers` layers keeps of `tokens`, the last
/// `window` included. With c = budget - window, d = c / beta (all divisions rounded down):
///   lowest = d, highest = 2 c - d; where highest >= tokens - window, highest = tokens - window and
///   lowest = 2 c - highest; layer l keeps highest - l * ((highest - lowest) / (layers - 1)) +
///   window.
/// Below `budget` tokens nothing is evicted; below 2 c tokens, and for one layer, where the line is
/// not defined, every layer keeps `budget`. As the slope is rounded down, the mean may exceed the
/// budget, by less than (layers - 1) / 2. Needs budget >= window >= 0, beta >= 1, layers >= 1.
std::vector<int64_t> pyramid_integers(
    int64_t budget, int64_t window, int64_t layers, int64_t tokens, int64_t beta);

/// kvpress' form of the same line in doubles: with c = (window + share) - window, lowest = c / beta
/// and highest = 2 c - lowest, clamped as above; layer l keeps highest - l * (highest - lowest) /
/// (layers - 1), halves rounded to even, where the count includes the window. For one layer, and
/// unless tokens >= highest >= lowest >= window, every layer keeps `share`, rounded. `share` is
/// tokens * (1 - compression ratio), the mean.
std::vector<int64_t> pyramid_doubles(
    double share, int64_t window, int64_t layers, int64_t tokens, double beta);

}  // namespace kvscope
