#include "analysis/metrics/inception_set.h"

namespace kvscope {

/// Frechet inception distance (Heusel et al. 2017), pictures resized as clean-fid does.
Metric metric_fid_clean() {
  return frechet_metric(InceptionInput::kClean);
}

}  // namespace kvscope
