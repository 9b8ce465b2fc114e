#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/results/summary.h"

namespace kvscope {

/// Points whose numbers may be ranked against each other: of one model (its weights too), equal in
/// every setting but those of policy and budget, over the same prompts and seeds, image by image.
struct ComparableGroup {
  std::string name{};  ///< the model, and what else tells it from the other groups: "toy, tau 0.5"
  std::vector<size_t> points{};  ///< indices, in their order
  /// One a point: its policy, with those of its options that points of the same policy differ in.
  std::vector<std::string> series{};
};

/// The groups of `points`, in the order of their first ones. Every point is in one.
std::vector<ComparableGroup> comparable_groups(std::span<const PointSummary> points);

}  // namespace kvscope
