#include "analysis/metrics/inception_set.h"

namespace kvscope {

/// Frechet inception distance (Heusel et al. 2017), pictures resized as pytorch-fid does.
Metric metric_fid_pytorch() {
  return frechet_metric(InceptionInput::kPytorch);
}

}  // namespace kvscope
