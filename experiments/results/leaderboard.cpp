#include "experiments/results/leaderboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "experiments/results/page/fronts.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {
namespace {

/// A setting that names the folder a point was submitted in: like an option of its policy, it is
/// part of a name where points of one policy differ in it.
constexpr const char* kFolderSetting = "policy.folder";

/// Adds the points of a folder that no folder before it had.
void add(Submissions& all, SweepSummary&& sweep) {
  for (std::string& note : sweep.notes) {
    all.left_out.push_back({sweep.folder, std::move(note)});
  }
  for (PointSummary& point : sweep.points) {
    const auto same = std::ranges::find_if(all.points.points, [&](const PointSummary& other) {
      return other.point().point_hash == point.point().point_hash;
    });
    if (same != all.points.points.end()) {
      all.left_out.push_back(
          {sweep.folder, fmt::format("point {}: the same is in {}", short_hash(point.point()),
                                     same->folder.string())});
      continue;
    }
    point.settings[kFolderSetting] = sweep.folder.string();
    all.points.points.push_back(std::move(point));
  }
}

/// In the order of tables: by model, then full caches first.
void sort_points(std::vector<PointSummary>& points) {
  std::ranges::stable_sort(points, [](const PointSummary& a, const PointSummary& b) {
    const auto place = [](const PointSummary& point) {
      return std::tuple(point.point().label("model"), !point.point().full_cache,
                        point.point().label("policy"), -point.point().kept_tokens);
    };
    return place(a) < place(b);
  });
}

/// Best first; equal values share a rank.
void rank(std::vector<RankedSeries>& series, bool higher_is_better) {
  std::ranges::stable_sort(series, [&](const RankedSeries& a, const RankedSeries& b) {
    return higher_is_better ? a.value > b.value : a.value < b.value;
  });
  for (size_t i = 0; i < series.size(); ++i) {
    const bool is_tie = i > 0 && series[i].value == series[i - 1].value;
    series[i].rank = is_tie ? series[i - 1].rank : static_cast<int64_t>(i) + 1;
  }
}

/// Budgets of a group with the most memory that points of each take, the largest first.
std::vector<std::pair<int64_t, std::string>> limits_of(const SweepSummary& sweep,
                                                       const ComparableGroup& group) {
  std::map<std::string, int64_t> most;
  for (const size_t i : group.points) {
    const PointSummary& point = sweep.points[i];
    if (point.point().full_cache) continue;
    int64_t& bytes = most[budget_name(point.point())];
    bytes = std::max(bytes, point.kv_peak_bytes);
  }
  std::vector<std::pair<int64_t, std::string>> limits;
  limits.reserve(most.size());
  for (const auto& [budget, bytes] : most) limits.emplace_back(bytes, budget);
  std::ranges::sort(limits, std::ranges::greater{});
  return limits;
}

/// The best of `points` with at most so many bytes; none where no point has a value.
const size_t* best_point(const SweepSummary& sweep,
                         const std::vector<size_t>& points,
                         const Metric& metric,
                         int64_t limit_bytes) {
  const size_t* best = nullptr;
  for (const size_t& i : points) {
    const PointSummary& point = sweep.points[i];
    const Measured& measured = point.metric(metric);
    if (point.kv_peak_bytes > limit_bytes || !measured.present()) continue;
    const double before = best == nullptr ? kNotMeasured : sweep.points[*best].metric(metric).value;
    const bool is_better =
        metric.higher_is_better ? measured.value > before : measured.value < before;
    if (best == nullptr || is_better) best = &i;
  }
  return best;
}

}  // namespace

Submissions read_submissions(std::span<const std::filesystem::path> folders) {
  Submissions all;
  for (const std::filesystem::path& folder : folders) {
    // One that is not there was mistyped; to leave it out would rank without it.
    if (std::error_code unknown; !std::filesystem::is_directory(folder, unknown)) {
      summarise_sweep(folder);
    }
    try {
      add(all, summarise_sweep(folder));
    } catch (const Error& error) {
      std::string reason = error.what();
      const std::string place = folder.string() + ": ";
      if (reason.starts_with(place)) reason.erase(0, place.size());  // it is said beside it
      all.left_out.push_back({folder, std::move(reason)});
    }
  }
  if (all.points.points.empty()) {
    std::string reasons;
    for (const LeftOut& one : all.left_out) {
      reasons += "\n" + one.folder.string() + ": " + one.reason;
    }
    throw Error(ErrorKind::kInput, "no finished point to rank:" + reasons);
  }
  all.points.folder = folders.front();
  sort_points(all.points.points);
  return all;
}

std::vector<Ranking> rankings(const SweepSummary& sweep, const ComparableGroup& group) {
  std::vector<Ranking> all;
  const std::vector<Metric> metrics = shown_metrics(sweep);
  const CostAxis& memory = cost_axes().front();
  constexpr int64_t kAnyBytes = std::numeric_limits<int64_t>::max();
  for (size_t m = 0; m < metrics.size(); ++m) {
    const Metric& metric = metrics[m];
    const Front front = front_of(sweep.points, group, memory, metric);
    const auto add_ranking = [&](const std::string& budget, int64_t limit_bytes) {
      Ranking ranking{.metric = m, .budget = budget, .limit_bytes = limit_bytes};
      for (const SeriesVolume& series : front.series) {
        const size_t* best = best_point(sweep, series.points, metric, limit_bytes);
        if (best == nullptr) continue;
        const double value =
            budget.empty() ? series.hypervolume : sweep.points[*best].metric(metric).value;
        ranking.series.push_back({.name = series.name, .point = *best, .value = value});
      }
      rank(ranking.series, metric.higher_is_better || budget.empty());
      if (!ranking.series.empty()) all.push_back(std::move(ranking));
    };
    add_ranking("", kAnyBytes);
    for (const auto& [bytes, budget] : limits_of(sweep, group)) add_ranking(budget, bytes);
  }
  return all;
}

}  // namespace kvscope
