#pragma once

#include <span>
#include <string>

#include "experiments/sweep/point.h"

namespace kvscope {

/// Looks at the prompts of points as their models will read them, before any weight is loaded, and
/// notes on each what of it is cut. Throws Error(kConfig) naming every prompt that its model does
/// not take, with its file and line, Error(kInput) for a tokenizer that cannot be read. `root`:
/// where relative paths of model groups start.
void check_prompts(std::span<Point> points, const std::string& root);

}  // namespace kvscope
