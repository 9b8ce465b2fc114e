#include "analysis/attention/measures/sinks.h"

#include <algorithm>

namespace kvscope {

std::vector<size_t> sinks_of(ObservedStep& step, int64_t image, int64_t head) {
  const auto received = step.received(image, head);
  const auto viewers = step.viewers(image, head);
  const auto seen = std::ranges::count_if(viewers, [](int64_t queries) { return queries > 0; });
  std::vector<size_t> sinks;
  for (size_t i = 0; i < received.size(); ++i) {
    const bool stands_out =
        received[i] * static_cast<double>(seen) > static_cast<double>(kSinkFactor);
    if (viewers[i] > 0 && stands_out) sinks.push_back(i);
  }
  return sinks;
}

}  // namespace kvscope
