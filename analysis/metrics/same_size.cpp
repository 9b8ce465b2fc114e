#include "analysis/metrics/same_size.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

void require_same_size(const Image& a,
                       const Image& b,
                       std::string_view metric,
                       int64_t smallest_side) {
  if (a.height != b.height || a.width != b.width) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: images of {} x {} and {} x {} pixels (height x width); expected "
                            "the same size",
                            metric, a.height, a.width, b.height, b.width));
  }
  if (std::min(a.height, a.width) < smallest_side) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: images of {} x {} pixels (height x width); expected at least {} "
                            "each way",
                            metric, a.height, a.width, smallest_side));
  }
}

}  // namespace kvscope
