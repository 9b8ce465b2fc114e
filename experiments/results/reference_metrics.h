#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/results/summary.h"

namespace kvscope {

/// Fills PSNR and SSIM of rows that have none from the pictures: against the full-cache point whose
/// labels agree except for policy and budget, image of the same prompt and seed. Points may have
/// run before their reference, so a row need not carry them. Returns for each point why metrics are
/// missing where they are.
std::vector<std::string> complete_reference_metrics(std::span<PointSummary> points);

}  // namespace kvscope
