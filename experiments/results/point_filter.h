#pragma once

#include <span>
#include <string>

#include "experiments/results/summary.h"

namespace kvscope {

/// Whether full caches stay beside the points of a policy or budget that was asked for, as what
/// they are compared with, or are chosen like any other point.
enum class FullCaches { kBeside, kLikeOthers };

/// Leaves the points that have every label of `only`, each "label=value" (model, policy, budget,
/// seed, or a setting that points differ in, tau or gen.tau; spaces do not count: budget=20%), and
/// of full caches those that agree in all but settings of policy and budget. Throws Error(kConfig)
/// for a label or value that no point has, with the nearest one.
SweepSummary points_with(SweepSummary sweep,
                         std::span<const std::string> only,
                         FullCaches full_caches = FullCaches::kBeside);

}  // namespace kvscope
