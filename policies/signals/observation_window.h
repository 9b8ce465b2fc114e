#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/step.h"

namespace kvscope {

/// Which token is the centre of a patch, along one side of the grid.
enum class PatchCentre : uint8_t {
  /// i * patch + (patch - 1) / 2 with patch = side / patches rounded down: the first of the two
  /// middles of an even patch, as ScaleKV's released code takes it.
  kUpperLeft,
  kLowerRight,  ///< i * patch + patch / 2: the second of the two middles
  /// (2 i + 1) * side / (2 patches) rounded down: patches of equal, not whole, length, so that a
  /// side that they do not divide is covered to its end.
  kSpread,
};

/// Coordinates of patch centres along a side cut into `patches` patches. Needs side >= patches.
std::vector<int64_t> patch_centres(int64_t side,
                                   int64_t patches,
                                   PatchCentre centre = PatchCentre::kUpperLeft);

/// Tokens of an observation window of `window` where a head may keep `most`: all of them if they
/// fit, else half of `most`, at least 1, so that the score still has something to choose.
int64_t fitting_window(int64_t window, int64_t most);

/// Likewise for a grid: the largest square number.
int64_t fitting_square_window(int64_t window, int64_t most);

/// ScaleKV's observation window: the centres of a sqrt(window) x sqrt(window) grid of patches laid
/// over the step's own grid, as positions in the generation, ascending. Where the grid is narrower
/// than the patches, or `window` is no square, the last `window` tokens of the step.
std::vector<int64_t> centroid_window(const StepInfo& step,
                                     int64_t window,
                                     PatchCentre centre = PatchCentre::kUpperLeft);

/// The same as ScaleKV's released code lays it whatever the image's shape: over a square of as
/// many tokens as the square 1M schedule (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64 a side) has
/// at this index, row-major and ending with the step. Tokens that would lie before the step, which
/// no published schedule has, are left out; beyond the schedule, the last `window` tokens.
std::vector<int64_t> square_1m_window(const StepInfo& step,
                                      int64_t window,
                                      PatchCentre centre = PatchCentre::kUpperLeft);

/// Positions of the last `window` tokens of the step, or of all of them where it has fewer.
std::vector<int64_t> trailing_window(const StepInfo& step, int64_t window);

/// Positions of the last `window` tokens up to the end of the step, earlier steps' included.
std::vector<int64_t> recent_window(const StepInfo& step, int64_t window);

/// The window's tokens of the current step, as indices in the step: what kernels take queries by.
std::vector<int64_t> in_step(const StepInfo& step, std::vector<int64_t> window);

}  // namespace kvscope
