#include "analysis/attention/measures/near_mass.h"

#include <algorithm>
#include <cmath>

#include "analysis/attention/attention_axes.h"

namespace kvscope {
namespace {

/// Percent of the image's side.
constexpr int64_t kRadii[] = {2, 5, 10, 15, 25, 50};
constexpr double kRounding = 1e-9;  // cells whose centres are exactly so far apart are near

}  // namespace

StatisticInfo NearMass::info() const {
  return {.axes = {"layer", "head", "step", "radius_percent"},
          .unit = "share",
          .needs = {.attention_rows = true}};
}

void NearMass::begin_model(const CacheGeometry& geometry) {
  places_ = TokenPlaces(geometry);
  std::vector<ArrayAxis> axes = head_step_axes(geometry);
  axes.push_back({.name = "radius_percent",
                  .coordinates = {{.name = "radius_percent",
                                   .values = {std::begin(kRadii), std::end(kRadii)}}}});
  means_ = MeanArray(std::move(axes), {{"sampled_queries", sampled_queries_}});
}

std::vector<uint8_t> NearMass::reached(int64_t query_position, int64_t keys) const {
  std::vector<uint8_t> first(static_cast<size_t>(keys), std::size(kRadii));
  for (int64_t key = 0; key < keys; ++key) {
    if (!places_.is_image(key)) continue;
    const double below = std::abs(places_.y(query_position) - places_.y(key));
    const double beside = std::abs(places_.x(query_position) - places_.x(key));
    const double distance = nearness_ == Nearness::kRows      ? below
                            : nearness_ == Nearness::kColumns ? beside
                                                              : std::hypot(below, beside);
    first[static_cast<size_t>(key)] = static_cast<uint8_t>(
        std::ranges::find_if(kRadii,
                             [&](int64_t radius) {
                               return distance <= static_cast<double>(radius) / 100 + kRounding;
                             }) -
        std::begin(kRadii));
  }
  return first;
}

void NearMass::observe(ObservedStep& step) {
  const StepInfo& info = step.step();
  if (info.kind == StepKind::kPrefill) return;
  std::map<int64_t, std::vector<uint8_t>> reached_by;  // by query, the same of all heads
  step.visit_queries(sampled_queries_, [&](const QueryWeights& query) {
    std::vector<uint8_t>& radius = reached_by[query.query];
    if (radius.empty()) {
      radius = reached(info.first_token + query.query, keys_of_step(step.steps(), info.index));
    }
    double masses[std::size(kRadii) + 1] = {};  // beyond the last, too
    for (size_t i = 0; i < query.weights.size(); ++i) {
      masses[radius[static_cast<size_t>(query.positions[i])]] +=
          static_cast<double>(query.weights[i]);
    }
    double mass = 0;
    size_t at = means_.index(step.layer(), query.head, info.index, 0);
    for (size_t i = 0; i < std::size(kRadii); ++i) means_.add(at++, mass += masses[i]);
  });
}

}  // namespace kvscope
