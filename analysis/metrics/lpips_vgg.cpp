#include "analysis/metrics/lpips_metric.h"

namespace kvscope {

/// Learned perceptual distance over VGG16's features (Zhang et al. 2018).
Metric metric_lpips_vgg() {
  return lpips_metric(LpipsNetwork::kVgg16);
}

}  // namespace kvscope
