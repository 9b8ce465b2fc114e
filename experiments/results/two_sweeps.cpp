#include "experiments/results/two_sweeps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "experiments/results/difference_table.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

using Labels = std::vector<std::string>;

Labels labels_of(const PointSummary& point) {
  const PointInfo& info = point.point();
  return {info.label("model"), info.label("policy"), budget_name(info), info.label("seed")};
}

std::vector<std::string> differing_settings(const PointSummary& a, const PointSummary& b) {
  std::set<std::string> keys;
  for (const PointSummary* point : {&a, &b}) {
    for (const auto& [key, value] : point->settings) keys.insert(key);
  }
  const auto value_of = [](const PointSummary& point, const std::string& key) {
    const auto found = point.settings.find(key);
    return found == point.settings.end() ? std::string("null") : found->second;
  };
  std::vector<std::string> differing;
  for (const std::string& key : keys) {
    const std::string first = value_of(a, key);
    const std::string second = value_of(b, key);
    if (first != second) differing.push_back(fmt::format("{} {}, {}", key, first, second));
  }
  return differing;
}

/// The only point of `points` that `is_it` says yes to.
template <typename Predicate>
const PointSummary* only_one(const std::vector<PointSummary>& points, Predicate is_it) {
  const auto found = std::ranges::find_if(points, is_it);
  if (found == points.end() || std::find_if(found + 1, points.end(), is_it) != points.end()) {
    return nullptr;
  }
  return &*found;
}

bool are_single_points(const SweepSummary& first, const SweepSummary& second) {
  return first.points.size() == 1 && second.points.size() == 1;
}

/// "h2o 10 %", or "h2o 10 % less full" where the two are not called the same.
std::string pair_name(const MatchedPoints& pair, const std::vector<LabelKey>& differing) {
  const std::string first = point_name(*pair.first, differing);
  const std::string second = point_name(*pair.second, differing);
  return first == second ? first : fmt::format("{} less {}", second, first);
}

}  // namespace

SweepSummary summarise_sweep_or_point(const fs::path& folder) {
  if (!point_finished(folder)) return summarise_sweep(folder);
  const fs::path point = fs::weakly_canonical(folder);
  SweepSummary sweep = summarise_sweep(point.parent_path().parent_path());
  std::erase_if(sweep.points,
                [&](const PointSummary& one) { return fs::weakly_canonical(one.folder) != point; });
  // A point that was run again elsewhere, or is unfinished, is none of the sweep.
  if (sweep.points.empty()) return summarise_sweep(folder);
  sweep.folder = folder;
  return sweep;
}

std::vector<MatchedPoints> matched_points(const SweepSummary& first, const SweepSummary& second) {
  std::vector<MatchedPoints> matched;
  const bool are_single = are_single_points(first, second);
  for (const PointSummary& point : first.points) {
    const Labels labels = labels_of(point);
    const auto has_labels = [&](const PointSummary& other) { return labels_of(other) == labels; };
    const PointSummary* other =
        are_single ? &second.points.front()
                   : only_one(second.points, [&](const PointSummary& candidate) {
                       return has_labels(candidate) && candidate.settings == point.settings;
                     });
    if (other == nullptr && only_one(first.points, has_labels) != nullptr) {
      other = only_one(second.points, has_labels);
    }
    if (other != nullptr) matched.push_back({&point, other, differing_settings(point, *other)});
  }
  return matched;
}

SweepDifferences difference_of_sweeps(const SweepSummary& first,
                                      const SweepSummary& second,
                                      const Metric& metric,
                                      const ComparisonOptions& options) {
  SweepDifferences result;
  const auto note = [&](const std::string& text) {
    if (std::ranges::find(result.notes, text) == result.notes.end()) result.notes.push_back(text);
  };
  const std::vector<MatchedPoints> matched = matched_points(first, second);
  const bool are_single = are_single_points(first, second);
  const std::vector<LabelKey> differing = differing_keys(
      are_single ? SweepSummary{.points = {first.points.front(), second.points.front()}} : first);
  DifferenceTable table(metric, options, {"point"});
  for (const MatchedPoints& pair : matched) {
    const std::string name = pair_name(pair, differing);
    const Recipe& recipe = pair.first->recipe;
    const Recipe& other = pair.second->recipe;
    if (!(recipe == other)) {
      note(fmt::format("recipes differ: {} in {}, {} in {}", recipe.text(), first.folder.string(),
                       other.text(), second.folder.string()));
    }
    if (!pair.differing.empty()) {
      note(fmt::format("settings differ: {}", fmt::join(pair.differing, "; ")));
    }
    std::string missing;
    const auto named = [&](const PointSummary& point, const SweepSummary& sweep) {
      return NamedPoint{
          point, fmt::format("{} in {}", point_name(point, differing), sweep.folder.string())};
    };
    if (!table.add({name}, named(*pair.second, second), named(*pair.first, first), missing)) {
      note(fmt::format("{}: {}", name, missing));
    }
  }
  const auto unmatched = [&](const SweepSummary& sweep, size_t count) {
    if (count == 0) return;
    note(fmt::format("{} of {} points of {} have no partner of their settings", count,
                     sweep.points.size(), sweep.folder.string()));
  };
  unmatched(first, first.points.size() - matched.size());
  unmatched(second, second.points.size() - matched.size());
  for (const std::string& text : table.notes()) note(text);
  if (!table.empty()) {
    const auto name_of = [&](const SweepSummary& sweep) {
      const std::string folder = sweep.folder.string();
      return are_single
                 ? fmt::format("{} ({})", point_name(sweep.points.front(), differing), folder)
                 : folder;
    };
    result.table = table.table(fmt::format("{}: difference of {} to {}, paired by image",
                                           metric.title, name_of(second), name_of(first)));
  }
  return result;
}

}  // namespace kvscope
