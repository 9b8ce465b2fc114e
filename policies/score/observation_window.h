#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/step.h"

namespace kvscope {

/// Coordinates of patch centres along a side cut into `patches` equal patches of side / patches
/// (rounded down): i * patch + (patch - 1) / 2, the upper-left of the two middles of an even patch.
/// Needs side >= patches.
std::vector<int64_t> patch_centres(int64_t side, int64_t patches);

/// Tokens of an observation window of `window` where a head may keep `most`: all of them if they
/// fit, else half of `most`, at least 1, so that the score still has something to choose.
int64_t fitting_window(int64_t window, int64_t most);

/// Likewise for a grid: the largest square number.
int64_t fitting_square_window(int64_t window, int64_t most);

/// ScaleKV's observation window: the centres of a sqrt(window) x sqrt(window) grid of patches laid
/// over the step's own grid, as positions in the generation, ascending. Where the grid is narrower
/// than the patches, or `window` is no square, the last `window` tokens of the step.
std::vector<int64_t> centroid_window(const StepInfo& step, int64_t window);

/// Positions of the last `window` tokens of the step, or of all of them where it has fewer.
std::vector<int64_t> trailing_window(const StepInfo& step, int64_t window);

/// Positions of the last `window` tokens up to the end of the step, earlier steps' included.
std::vector<int64_t> recent_window(const StepInfo& step, int64_t window);

/// The window's tokens of the current step, as indices in the step: what kernels take queries by.
std::vector<int64_t> in_step(const StepInfo& step, std::vector<int64_t> window);

}  // namespace kvscope
