#include "experiments/ablation/ablation_result.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "analysis/statistics/rank_correlation.h"
#include "core/config/hash.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const PointSummary* summary_of(const SweepSummary& sweep, const std::string& hash) {
  const auto found = std::ranges::find_if(
      sweep.points, [&](const PointSummary& one) { return one.point().point_hash == hash; });
  return found == sweep.points.end() ? nullptr : &*found;
}

/// The metric by number of image. Of the full cache and a metric of pairs: that of equal images.
std::map<uint64_t, double> values_by_image(const PointSummary& summary, const Metric& metric) {
  std::map<uint64_t, double> values;
  const bool is_own_reference = summary.point().full_cache && metric.scope == MetricScope::kPair;
  for (const ImageRow& row : summary.result.rows) {
    values[row.image_index] = !is_own_reference         ? row.metrics[metric.name]
                              : metric.higher_is_better ? metric.highest
                                                        : metric.lowest;
  }
  return values;
}

/// The mean difference over images that have a finite one, within what two values can differ by.
Interval difference_of(const std::map<uint64_t, double>& values,
                       const std::map<uint64_t, double>& reference,
                       const Metric& metric) {
  std::vector<double> differences;
  for (const auto& [image, value] : values) {
    const auto other = reference.find(image);
    if (other == reference.end()) continue;
    const double difference = value - other->second;
    if (std::isfinite(difference)) differences.push_back(difference);
  }
  Interval interval = mean_interval(differences);
  const double most = metric.highest - metric.lowest;
  interval.low = std::max(interval.low, -most);
  interval.high = std::min(interval.high, most);
  return interval;
}

/// How much worse than `reference`; against an unbounded best, the value itself, turned round.
double loss_of(double value, double reference, const Metric& metric) {
  const double base = std::isfinite(reference) ? reference : 0;
  return metric.higher_is_better ? base - value : value - base;
}

}  // namespace

AblationResult ablation_result(const Ablation& ablation,
                               const std::vector<Point>& points,
                               const SweepSummary& sweep,
                               const Metric& metric) {
  const Point& full = points.front();
  AblationResult result{.ablation = ablation,
                        .metric = metric,
                        .model = full.facts.name,
                        .reference_hash = short_hash(full.hash)};
  const PointSummary* reference = summary_of(sweep, full.hash);
  std::map<uint64_t, double> of_reference;
  result.reference.missing = "failed";
  if (reference != nullptr) {
    of_reference = values_by_image(*reference, metric);
    result.reference = reference->metric(metric);
    if (metric.scope == MetricScope::kPair)
      result.reference.missing = "what the others are compared with";
  }
  size_t next_point = 1;
  std::vector<std::map<uint64_t, double>> of_things;  // those that hide anything
  std::vector<size_t> at;                             // which things these are
  for (int64_t thing = 0; thing < ablation.size(); ++thing) {
    HiddenEffect& effect = result.effects.emplace_back();
    effect.difference = {kNan, kNan, kNan};
    if (!ablation.hides(thing)) {
      effect.measured.missing = "nothing to hide: it comes later";
      continue;
    }
    const Point& point = points[next_point++];
    effect.hash = short_hash(point.hash);
    effect.measured.missing = "failed";
    at.push_back(static_cast<size_t>(thing));
    of_things.emplace_back();
    const PointSummary* summary = summary_of(sweep, point.hash);
    if (summary == nullptr) continue;
    of_things.back() = values_by_image(*summary, metric);
    effect.measured = summary->metric(metric);
    effect.images = std::ssize(summary->result.rows);
    effect.difference = difference_of(of_things.back(), of_reference, metric);
  }
  for (const auto& [image, value] : of_reference) {
    const auto has_value = [&](const std::map<uint64_t, double>& values) {
      const auto found = values.find(image);
      return found != values.end() && !std::isnan(found->second);
    };
    if (std::isnan(value) || !std::ranges::all_of(of_things, has_value)) continue;
    for (size_t i = 0; i < of_things.size(); ++i) {
      result.effects[at[i]].losses.push_back(loss_of(of_things[i].at(image), value, metric));
    }
  }
  return result;
}

std::vector<double> mean_loss_ranks(const AblationResult& result) {
  const size_t images = result.effects.front().losses.size();
  const auto has_all = [&](const HiddenEffect& one) { return std::size(one.losses) == images; };
  if (images == 0 || !std::ranges::all_of(result.effects, has_all)) return {};
  std::vector<double> means(result.effects.size(), 0.0);
  std::vector<double> losses(result.effects.size());
  for (size_t image = 0; image < images; ++image) {
    for (size_t i = 0; i < losses.size(); ++i) losses[i] = result.effects[i].losses[image];
    const std::vector<double> ranks = average_ranks(losses);
    for (size_t i = 0; i < ranks.size(); ++i) means[i] += ranks[i] / static_cast<double>(images);
  }
  return means;
}

}  // namespace kvscope
