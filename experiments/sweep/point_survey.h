#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "experiments/sweep/point.h"

namespace kvscope {

/// Hears every point as soon as it is made and before it is identified, and may take from it what
/// nobody needs any more: a thousand plans of hundreds of steps are gigabytes. Duplicates, and
/// points that a later error makes vain, are heard of, too.
using PointVisitor = std::function<void(Point& point)>;

/// The points of a command line that are looked at and not run.
struct PointSurvey {
  PointList list{};        ///< its notes say which files are missing where points have no hash
  int64_t plans_made = 0;  ///< points with the same model, policy and budget share one
};

/// As list_points(), with hashes where all files are there. `visit` may be empty.
PointSurvey survey_points(const ComposeRequest& request,
                          const std::string& root,
                          std::shared_ptr<const ComponentRegistry> components,
                          const PointVisitor& visit);

}  // namespace kvscope
