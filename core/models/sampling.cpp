#include "core/models/sampling.h"

#include <ATen/ATen.h>

namespace kvscope {

// The exponential race: of classes whose arrival times are exponential with their probabilities as
// rates, each is the first with its probability.
at::Tensor sample_classes(const at::Tensor& probabilities, at::Generator& generator) {
  const at::Tensor times = at::empty(probabilities.sizes(), at::TensorOptions().dtype(at::kFloat))
                               .exponential_(1, generator);
  return probabilities.div(times.to(probabilities.device())).argmax(-1);
}

}  // namespace kvscope
