#include "policies/score/observation_window.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kvscope {

std::vector<int64_t> patch_centres(int64_t side, int64_t patches) {
  const int64_t patch = side / patches;
  std::vector<int64_t> centres;
  for (int64_t i = 0; i < patches; ++i) {
    centres.push_back(i * patch + (patch - 1) / 2);
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

std::vector<int64_t> centroid_window(const StepInfo& step, int64_t window) {
  const auto patches = std::llround(std::sqrt(static_cast<double>(window)));
  const bool fits =
      patches * patches == window && step.grid_height >= patches && step.grid_width >= patches;
  if (!fits) {
    return trailing_window(step, window);
  }
  std::vector<int64_t> positions;
  for (const int64_t y : patch_centres(step.grid_height, patches)) {
    for (const int64_t x : patch_centres(step.grid_width, patches)) {
      positions.push_back(step.first_token + y * step.grid_width + x);
    }
  }
  return positions;
}

}  // namespace kvscope
