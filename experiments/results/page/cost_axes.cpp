#include "experiments/results/page/cost_axes.h"

#include "core/base/mebibytes.h"

namespace kvscope {
namespace {

double known_mebibytes(int64_t bytes) {
  return bytes > 0 ? mebibytes(bytes) : kNotMeasured;
}

}  // namespace

const std::vector<CostAxis>& cost_axes() {
  static const std::vector<CostAxis> axes = {
      {"kv_peak", "Peak KV memory per image", "MiB", 2,
       [](const PointSummary& point) { return known_mebibytes(point.kv_peak_bytes); }},
      {"kv_live", "Live KV memory per image", "MiB", 2,
       [](const PointSummary& point) { return known_mebibytes(point.kv_live_bytes); }},
      {"tokens", "Tokens kept per layer and head", "", 1,
       [](const PointSummary& point) { return point.point().kept_tokens; }},
      {"allocated", "Allocated memory at its peak, without weights", "MiB", 2,
       [](const PointSummary& point) { return known_mebibytes(point.allocator_peak_bytes); }},
      {"seconds", "Time per image", "s", 3,
       [](const PointSummary& point) { return point.seconds_per_image.value; }}};
  return axes;
}

}  // namespace kvscope
