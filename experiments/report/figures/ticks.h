#pragma once

#include <string>
#include <vector>

namespace kvscope {

enum class AxisScale { kLinear, kLogarithmic };

struct Tick {
  double value = 0;
  std::string label;  // empty: a minor tick
};

/// Ticks within [minimum, maximum] at round values: about `wanted` labelled ones at steps of 1, 2
/// or 5 times a power of ten; on a logarithmic axis powers of ten, with their 2 and 5 folds where
/// there is room, and unlabelled folds between. Labels carry just the decimals that tell them
/// apart; from 10^5 up or 10^-4 down a logarithmic axis writes powers. Requires minimum < maximum,
/// finite; minimum > 0 when logarithmic.
std::vector<Tick> axis_ticks(double minimum, double maximum, AxisScale scale, int wanted);

/// A round step of 1, 2 or 5 times a power of ten, so that range / step <= wanted.
double nice_step(double range, int wanted);

}  // namespace kvscope
