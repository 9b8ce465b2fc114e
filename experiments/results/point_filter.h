#pragma once

#include <span>
#include <string>

#include "experiments/results/summary.h"

namespace kvscope {

/// Leaves the points that have every label of `only`, each "label=value" (model, policy, budget,
/// seed, or a setting that points differ in, tau or gen.tau; spaces do not count: budget=20%), and
/// of full caches those that agree in all but settings of policy and budget. Throws Error(kConfig)
/// for a label or value that no point has, with the nearest one.
SweepSummary points_with(SweepSummary sweep, std::span<const std::string> only);

}  // namespace kvscope
