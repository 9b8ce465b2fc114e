#include "tests/analysis/attention/oracles/guidance.h"

namespace kvscope {

double oracle_guidance_value_difference(const NaiveRecording& seen, const Where& where) {
  return naive_guidance_difference(seen, where, &NaiveStep::v);
}

}  // namespace kvscope
