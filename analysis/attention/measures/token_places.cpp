#include "analysis/attention/measures/token_places.h"

#include <cmath>

#include "analysis/attention/image_offsets.h"

namespace kvscope {
namespace {

double centre(int64_t cell, int64_t cells) {
  return (static_cast<double>(cell) + 0.5) / static_cast<double>(cells);
}

}  // namespace

TokenPlaces::TokenPlaces(const CacheGeometry& geometry) {
  const ImageOffsets lines = ImageOffsets::of(geometry);
  int64_t image_token = 0;  // of a next-token image
  for (const StepInfo& step : geometry.steps) {
    for (int64_t token = 0; token < step.queries(); ++token) {
      if (step.kind == StepKind::kPrefill) {
        y_.push_back(-1);
        x_.push_back(-1);
      } else if (step.kind == StepKind::kToken) {
        y_.push_back(centre(image_token / lines.line_tokens, lines.lines));
        x_.push_back(centre(image_token % lines.line_tokens, lines.line_tokens));
        ++image_token;
      } else {
        y_.push_back(centre(token / step.grid_width, step.grid_height));
        x_.push_back(centre(token % step.grid_width, step.grid_width));
      }
    }
  }
}

double TokenPlaces::distance(int64_t one, int64_t other) const {
  return std::hypot(y(one) - y(other), x(one) - x(other));
}

}  // namespace kvscope
