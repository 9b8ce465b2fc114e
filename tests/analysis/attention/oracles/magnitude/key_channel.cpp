#include "tests/analysis/attention/oracles/magnitude.h"

namespace kvscope {

double oracle_magnitude_key_channel(const NaiveRecording& seen, const Where& where) {
  return naive_magnitude(
      seen, where("layer"),
      [&](const NaiveStep& step, int64_t row) { return step.k[row][where("head")]; },
      [&](int64_t /*position*/, int64_t channel) { return channel == where("channel"); });
}

}  // namespace kvscope
