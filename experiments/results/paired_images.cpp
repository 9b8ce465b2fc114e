#include "experiments/results/paired_images.h"

#include <cmath>
#include <map>
#include <string>
#include <tuple>

namespace kvscope {

PairedImages paired_images(const PointSummary& point,
                           const PointSummary& reference,
                           const Metric& metric) {
  using ImageKey = std::tuple<uint64_t, std::string, uint64_t>;
  std::map<ImageKey, double> of_reference;
  for (const ImageRow& row : reference.result.rows) {
    of_reference[{row.prompt_id, row.prompt, row.seed}] = row.metrics[metric.name];
  }
  PairedImages result;
  for (const ImageRow& row : point.result.rows) {
    const auto other = of_reference.find({row.prompt_id, row.prompt, row.seed});
    if (other == of_reference.end()) {
      ++result.unpaired;
      continue;
    }
    const double value = row.metrics[metric.name];
    if (std::isfinite(value) && std::isfinite(other->second)) {
      result.point.push_back(value);
      result.reference.push_back(other->second);
    } else if (std::isnan(value) || std::isnan(other->second)) {
      ++result.without_value;
    } else {
      ++result.infinite;
    }
    of_reference.erase(other);
  }
  result.unpaired_reference = std::ssize(of_reference);
  return result;
}

}  // namespace kvscope
