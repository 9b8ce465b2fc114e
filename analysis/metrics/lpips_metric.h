#pragma once

#include "analysis/metrics/metric.h"
#include "analysis/networks/lpips.h"

namespace kvscope {

/// LPIPS 0.1 between an image and its full-cache image, over the features of `network`.
Metric lpips_metric(LpipsNetwork network);

}  // namespace kvscope
