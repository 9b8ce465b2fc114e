#include <iterator>

#include "experiments/verify/kinds.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {

std::vector<GroupResult> verify_metrics(GoldenFile& file) {
  const std::vector<RecordedPair> pairs = recorded_pairs(file);
  std::vector<GroupResult> results;
  const auto add = [&](std::vector<GroupResult> more) {
    std::move(more.begin(), more.end(), std::back_inserter(results));
  };
  add(check_pair_values(file, pairs));
  add(check_resizing(file));
  add(check_formula(file));
  add(check_perceptual(file, pairs));
  add(check_inception(file));
  add(check_frechet(file));
  return results;
}

}  // namespace kvscope::verify
