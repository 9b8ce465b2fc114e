#pragma once

#include <optional>
#include <string>

#include "experiments/sweep/point.h"

namespace kvscope {

/// Everything that `kvscope plan` says of one point: shapes, budget, bytes, memory by part, whether
/// it fits `limit_bytes`, and the tokens of every step; of every (step, layer, head) too under
/// `every_head`.
std::string plan_text(const Point& point, std::optional<double> limit_bytes, bool every_head);

}  // namespace kvscope
