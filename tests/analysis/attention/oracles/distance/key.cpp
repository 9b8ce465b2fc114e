#include "tests/analysis/attention/oracles/scale_keys.h"

namespace kvscope {

double oracle_distance_key(const NaiveRecording& seen, const Where& where) {
  return naive_scale_keys(seen, where, [](const at::Tensor& key, const at::Tensor& before) {
    return (key - before).norm().item<double>();
  });
}

}  // namespace kvscope
