#pragma once

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// -sum of p log p of a line, in nats.
inline double naive_entropy(const NaiveLine& line) {
  double entropy = 0;
  for (int64_t key = 0; key < line.keys; ++key) {
    const double share = line.weights[key];
    if (share > 0) entropy -= share * std::log(share);
  }
  return entropy;
}

}  // namespace kvscope
