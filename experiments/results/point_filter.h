#pragma once

#include <span>
#include <string>

#include "experiments/results/summary.h"

namespace kvscope {

/// Leaves the points that have every label of `only`, each "label=value" (model, policy, budget,
/// seed; spaces do not count: budget=20%), and of full caches those of the models and seeds asked
/// for, whatever policy and budget are. Throws Error(kConfig) for a label or value that no point
/// has, with the nearest one.
SweepSummary points_with(SweepSummary sweep, std::span<const std::string> only);

}  // namespace kvscope
