#pragma once

#include <string>

#include "experiments/results/summary.h"

namespace kvscope {

/// What the scripts of a page of results read, as JSON:
///   axes     [{key, label, unit, decimals}]  costs, see cost_axes()
///   metrics  [{key, label, title, unit, higher, decimals}]
///   points   [{hash, name, model, policy, budget, group, series, full, images, kept, folder,
///              x: [a number an axis, or null], y: [[value, low, high] a metric, or why not],
///              overrides, command, settings, manifest}]
///   groups   [{name, points, fronts: {"AXIS METRIC": {front, corner, volume, series: [[name,
///   volume]]}}}] settings, manifest   what all points have in common; those of a point are the
///   rest colours  of series
/// Texts are printable(); infinities are "inf" and "-inf".
std::string points_payload(const SweepSummary& sweep);

}  // namespace kvscope
