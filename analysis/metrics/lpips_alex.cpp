#include "analysis/metrics/lpips_metric.h"

namespace kvscope {

/// Learned perceptual distance over AlexNet's features (Zhang et al. 2018).
Metric metric_lpips_alex() {
  return lpips_metric(LpipsNetwork::kAlexNet);
}

}  // namespace kvscope
