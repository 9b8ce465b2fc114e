#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/plan.h"

namespace kvscope {

/// Where the tokens of a generation lie in the image: the centre of each one's cell, in sides of
/// the image, so that grids of all scales are comparable. The grid of a next-token image is its
/// lines; where the geometry does not say how long they are, it is one line.
class TokenPlaces {
 public:
  TokenPlaces() = default;
  explicit TokenPlaces(const CacheGeometry& geometry);

  /// Condition tokens lie nowhere.
  [[nodiscard]] bool is_image(int64_t position) const { return y(position) >= 0; }
  /// Of the token at `position` in the generation: 0 to 1, from the top and from the left.
  [[nodiscard]] double y(int64_t position) const { return y_[static_cast<size_t>(position)]; }
  [[nodiscard]] double x(int64_t position) const { return x_[static_cast<size_t>(position)]; }
  /// Between two image tokens.
  [[nodiscard]] double distance(int64_t one, int64_t other) const;

 private:
  std::vector<double> y_;  // [tokens of the generation]
  std::vector<double> x_;
};

}  // namespace kvscope
