#include "policies/signals/observation_window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace kvscope {

namespace {

/// Patches along a side of the grid of `window` patches; 0 where it is no square number.
int64_t patches_a_side(int64_t window) {
  const auto patches = std::llround(std::sqrt(static_cast<double>(window)));
  return patches * patches == window ? patches : 0;
}

/// Positions of the patch centres of a height x width grid whose first token is at `first`;
/// empty where the grid is too narrow.
std::vector<int64_t> grid_centres(
    int64_t first, int64_t height, int64_t width, int64_t window, PatchCentre centre) {
  const int64_t patches = patches_a_side(window);
  std::vector<int64_t> positions;
  if (patches == 0 || height < patches || width < patches) return positions;
  for (const int64_t y : patch_centres(height, patches, centre)) {
    for (const int64_t x : patch_centres(width, patches, centre)) {
      positions.push_back(first + y * width + x);
    }
  }
  return positions;
}

}  // namespace

std::vector<int64_t> patch_centres(int64_t side, int64_t patches, PatchCentre centre) {
  const int64_t patch = side / patches;
  std::vector<int64_t> centres;
  for (int64_t i = 0; i < patches; ++i) {
    switch (centre) {
      case PatchCentre::kUpperLeft:
        centres.push_back(i * patch + (patch - 1) / 2);
        break;
      case PatchCentre::kLowerRight:
        centres.push_back(i * patch + patch / 2);
        break;
      case PatchCentre::kSpread:
        centres.push_back((2 * i + 1) * side / (2 * patches));
        break;
    }
  }
  return centres;
}

int64_t fitting_window(int64_t window, int64_t most) {
  return most >= window ? window : std::max<int64_t>(1, most / 2);
}

int64_t fitting_square_window(int64_t window, int64_t most) {
  if (most >= window) return window;
  const auto side =
      static_cast<int64_t>(std::sqrt(static_cast<double>(fitting_window(window, most))));
  return side * side;
}

std::vector<int64_t> trailing_window(const StepInfo& step, int64_t window) {
  return recent_window(step, std::min(window, step.queries()));
}

std::vector<int64_t> recent_window(const StepInfo& step, int64_t window) {
  const int64_t end = step.first_token + step.queries();
  const int64_t tokens = std::min(window, end);
  std::vector<int64_t> positions(static_cast<std::size_t>(tokens));
  std::iota(positions.begin(), positions.end(), end - tokens);
  return positions;
}

std::vector<int64_t> in_step(const StepInfo& step, std::vector<int64_t> window) {
  std::erase_if(window, [&](int64_t position) { return position < step.first_token; });
  for (int64_t& token : window) token -= step.first_token;
  return window;
}

std::vector<int64_t> centroid_window(const StepInfo& step, int64_t window, PatchCentre centre) {
  std::vector<int64_t> positions =
      grid_centres(step.first_token, step.grid_height, step.grid_width, window, centre);
  return positions.empty() ? trailing_window(step, window) : positions;
}

std::vector<int64_t> square_1m_window(const StepInfo& step, int64_t window, PatchCentre centre) {
  static constexpr std::array<int64_t, 13> kSides = {1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64};
  std::vector<int64_t> positions;
  if (step.index < std::ssize(kSides)) {
    const int64_t side = kSides[static_cast<std::size_t>(step.index)];
    const int64_t end = step.first_token + step.queries();
    positions = grid_centres(end - side * side, side, side, window, centre);
    std::erase_if(positions, [&](int64_t position) { return position < step.first_token; });
  }
  return positions.empty() ? trailing_window(step, window) : positions;
}

}  // namespace kvscope
