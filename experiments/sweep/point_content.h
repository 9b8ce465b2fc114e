#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/value.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// All that a point's hash is taken over, as flat texts: "policy.score.window" -> "16", and of
/// files "sha256 of model.weights" -> digits.
using PointContent = std::map<std::string, std::string>;

/// Of a resolved config, its `digests` beside it.
PointContent point_content(const ConfigNode& config,
                           const std::vector<std::pair<std::string, std::string>>& digests);
PointContent point_content(const Point& point);

/// The digests of a point with that of its prompts' whole list. Throws Error(kInput) where those
/// can no longer be read.
std::vector<std::pair<std::string, std::string>> all_digests(const Point& point);

/// A key whose values are not the same; "-" where one of them has it not.
struct ContentDifference {
  std::string key{};
  std::string before{};
  std::string now{};

  /// "budget.ratio: 0.1 -> 0.2"; of digests their first digits.
  [[nodiscard]] std::string text() const;
};

/// By key. A digest that one side alone knows is none: earlier versions kept fewer of them.
std::vector<ContentDifference> differences(const PointContent& before, const PointContent& now);

}  // namespace kvscope
