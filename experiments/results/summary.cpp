#include "experiments/results/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/set_aside.h"
#include "core/config/yaml.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/natural_order.h"
#include "experiments/results/read_sweep.h"

namespace kvscope {
namespace {

using std::filesystem::path;

std::vector<path> folders_in(const path& folder) {
  std::vector<path> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  return folders;
}

[[noreturn]] void fail_without_points(const path& folder, const std::vector<std::string>& notes) {
  std::error_code error;
  std::string message;
  if (!std::filesystem::is_directory(folder, error)) {
    message = fmt::format("{}: no such folder.", folder.string());
  } else if (!notes.empty()) {
    message = fmt::format(
        "{}: no finished point that can be read: {}; the command that made it goes "
        "on with it.",
        folder.string(), fmt::join(notes, "; "));
  } else {
    message = fmt::format("{}: no points/*/result.h5 in it.", folder.string());
  }
  const bool missing = !std::filesystem::is_directory(folder, error);
  const path beside = folder.has_parent_path() ? folder.parent_path() : path(".");
  std::vector<std::string> others;
  for (const path& other : folders_in(missing ? beside : folder)) {
    if (std::filesystem::is_directory(other / "points", error)) {
      others.push_back(other.filename().string());
    }
  }
  const path& where = missing ? beside : folder;
  const std::string near = missing ? nearest_name(folder.filename().string(), others) : "";
  if (!near.empty()) {
    message += fmt::format(" Did you mean {}?", (where / near).string());
  } else if (others.size() == 1) {
    message += fmt::format(" Did you mean {}?", (where / others.front()).string());
  } else if (!others.empty()) {
    message += fmt::format(" Results folders in {}: {}.", where.string(), fmt::join(others, ", "));
  }
  if (beside.filename() == "points") {
    message += fmt::format(" Did you mean the sweep, {}?", beside.parent_path().string());
  }
  throw Error(ErrorKind::kInput, message);
}

/// "snapkv, 10 % (0123456789ab)", as far as the folder's config can be read.
std::string name_of(const path& place) {
  std::string hash = place.filename().string();
  try {
    const ConfigNode config = load_yaml_file(place / "config.yaml");
    const std::string name = policy_and_budget(config);
    return name.empty() ? hash : fmt::format("{} ({})", name, hash);
  } catch (const Error&) {
    return hash;
  }
}

/// Fills a point from its finished file. Throws Error for one that cannot be read.
void read_point(PointSummary& point, const path& place) {
  point.folder = place;
  point.result = read_result(place / "result.h5");
  point.settings = point_settings(point.point());
  point.asked_metrics = asked_metrics(point.point());
  std::vector<ImageRow>& rows = point.result.rows;
  const auto unused = std::stable_partition(rows.begin(), rows.end(), [&](const ImageRow& row) {
    return point.point().asks_for(row.image_index);
  });
  point.unused_rows.assign(unused, rows.end());
  rows.erase(unused, rows.end());
  point.recipe = recipe_of(point);
}

/// Says which images are used of points that have more.
void note_unused(SweepSummary& sweep) {
  std::map<std::pair<int64_t, int64_t>, std::vector<std::string>> points;  // by used and stored
  for (const PointSummary& point : sweep.points) {
    const int64_t used = std::ssize(point.result.rows);
    const int64_t unused = std::ssize(point.unused_rows);
    if (unused > 0) points[{used, used + unused}].push_back(point.folder.filename().string());
  }
  for (const auto& [counts, names] : points) {
    sweep.notes.push_back(
        fmt::format("{} of {} images are used, as the points were last asked for: {}", counts.first,
                    counts.second, fmt::join(names, ", ")));
  }
}

/// Those of the rows that have one.
template <typename ValueOf>
std::vector<double> values_of(const std::vector<ImageRow>& rows, ValueOf value_of) {
  std::vector<double> values;
  for (const ImageRow& row : rows) {
    const double value = value_of(row);
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

Measured median_over(const std::vector<ImageRow>& rows, double ImageRow::*member, double factor) {
  const std::vector<double> values =
      values_of(rows, [&](const ImageRow& row) { return row.*member * factor; });
  return median_of(values).over(std::ssize(values), std::ssize(rows));
}

/// The interval without what the metric cannot be: few images give one that reaches beyond.
Measured within(const Metric& metric, Measured measured) {
  if (measured.low < metric.lowest) measured.low = metric.lowest;
  if (measured.high > metric.highest) measured.high = metric.highest;
  return measured;
}

/// Metrics of images and pairs; those of sets come from the images, see measure_sets().
void summarise_metrics(PointSummary& summary, const MissingReasons& reasons) {
  for (const Metric& metric : metrics()) {
    const std::vector<ImageRow>& rows = summary.result.rows;
    const std::vector<double> values =
        values_of(rows, [&](const ImageRow& row) { return row.metrics[metric.name]; });
    const bool is_reference = metric.scope == MetricScope::kPair && summary.point().full_cache;
    summary.metrics[metric.name] =
        values.empty() || is_reference
            ? Measured{.missing = reasons.at(metric.name)}
            : within(metric, measured_of(metric.summarise(values), metric.undefined))
                  .over(std::ssize(values), std::ssize(rows));
  }
}

void measure(PointSummary& summary, const MissingReasons& reasons) {
  const std::vector<ImageRow>& rows = summary.result.rows;
  const auto most = [&](int64_t ImageRow::*member) {
    int64_t bytes = 0;
    for (const ImageRow& row : rows) bytes = std::max(bytes, row.*member);
    return bytes;
  };
  summary.kv_planned_bytes = most(&ImageRow::kv_planned_bytes);
  summary.kv_live_bytes = most(&ImageRow::kv_live_bytes);
  summary.kv_peak_bytes = most(&ImageRow::kv_peak_bytes);
  summary.kv_peak_planned_bytes = most(&ImageRow::kv_peak_planned_bytes);
  summary.allocator_peak_bytes = most(&ImageRow::allocator_peak_bytes);
  summary.allocator_planned_bytes = most(&ImageRow::allocator_planned_bytes);
  const std::vector<double> device_peaks =
      values_of(rows, [](const ImageRow& row) { return row.device_peak_bytes; });
  if (!device_peaks.empty()) summary.device_peak_bytes = std::ranges::max(device_peaks);
  summary.seconds_per_image = median_over(rows, &ImageRow::total_ms, 1e-3);
  summary.attention_ms = median_over(rows, &ImageRow::attention_ms, 1);
  summarise_metrics(summary, reasons);
}

/// Takes out points whose settings were run again later, as after a change of the model's weights
/// or of kvscope itself: same model, policy and budget by name, same config, another hash. Returns
/// the names of their folders.
std::vector<std::string> remove_replaced(std::vector<PointSummary>& points) {
  const auto settings = [](const PointSummary& summary) {
    const PointInfo& point = summary.point();
    return std::tuple(point.label("model"), point.label("policy"), point.label("budget"),
                      summary.settings);
  };
  // Files without a time of their own come before those that have one; the folder's clock is all
  // that tells them apart.
  const auto finished = [](const PointSummary& summary) {
    std::error_code error;
    const int64_t time = summary.result.finished_unix_ns;
    return std::pair(
        time, time > 0 ? std::filesystem::file_time_type::min()
                       : std::filesystem::last_write_time(summary.folder / "result.h5", error));
  };
  std::ranges::stable_sort(points, std::ranges::greater{}, finished);
  std::set<decltype(settings(points.front()))> seen;
  std::vector<std::string> replaced;
  std::erase_if(points, [&](const PointSummary& summary) {
    if (seen.insert(settings(summary)).second) return false;
    replaced.push_back(summary.folder.filename().string());
    return true;
  });
  return replaced;
}

/// By model, the full cache first, then by policy, falling number of tokens and the other settings.
bool stands_before(const PointSummary& a, const PointSummary& b) {
  const auto place = [](const PointSummary& summary) {
    const PointInfo& point = summary.point();
    return std::tuple(point.label("model"), !point.full_cache, point.label("policy"),
                      -point.kept_tokens);
  };
  if (place(a) != place(b)) return place(a) < place(b);
  const auto before = [](const auto& setting_a, const auto& setting_b) {
    if (setting_a.first != setting_b.first) return setting_a.first < setting_b.first;
    return natural_less(setting_a.second, setting_b.second);
  };
  if (a.settings != b.settings) {
    return std::ranges::lexicographical_compare(a.settings, b.settings, before);
  }
  return a.point().point_hash < b.point().point_hash;
}

}  // namespace

Measured Measured::over(int64_t images, int64_t all) const {
  Measured counted = *this;
  if (images < all) counted.part = {.images = images, .all = all};
  return counted;
}

TableCell Measured::cell() const {
  if (!present()) return TableCell::missing(missing);
  TableCell cell = TableCell::between(value, low, high);
  if (auto* number = std::get_if<TableNumber>(&cell.content)) number->part = part;
  return cell;
}

const Measured& PointSummary::metric(const Metric& metric) const {
  static const Measured none{.missing = "not measured"};
  const auto found = metrics.find(metric.name);
  return found == metrics.end() ? none : found->second;
}

Measured measured_of(const MetricSummary& summary, const std::string& undefined) {
  const Interval& interval = summary.interval;
  if (std::isnan(interval.estimate)) return {.missing = undefined};
  return {.value = interval.estimate,
          .low = interval.low,
          .high = interval.high,
          .left_out = summary.left_out};
}

std::vector<SweepSummary> by_model(const SweepSummary& sweep) {
  std::vector<SweepSummary> models;
  std::string model;
  for (const PointSummary& point : sweep.points) {
    if (models.empty() || point.point().label("model") != model) {
      model = point.point().label("model");
      models.push_back({.folder = sweep.folder});
    }
    models.back().points.push_back(point);
  }
  return models;
}

Measured median_of(std::vector<double> values) {
  if (values.empty()) return {.missing = "no image was timed"};
  std::ranges::sort(values);
  const auto n = static_cast<int64_t>(values.size());
  const auto middle = static_cast<size_t>(n / 2);
  Measured result;
  result.value = n % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  // [x(k), x(n + 1 - k)] covers the median with probability 1 - 2 P(B < k), B ~ binomial(n, 1/2).
  const auto log_weight = [n](int64_t successes) {
    const auto count = static_cast<double>(n);
    const auto hits = static_cast<double>(successes);
    return std::lgamma(count + 1) - std::lgamma(hits + 1) - std::lgamma(count - hits + 1) -
           count * std::log(2.0);
  };
  constexpr double kTail = 0.025;
  double below = 0;
  int64_t k = 0;
  while (k < n / 2 && below + std::exp(log_weight(k)) <= kTail) below += std::exp(log_weight(k++));
  if (k > 0) {
    result.low = values[static_cast<size_t>(k - 1)];
    result.high = values[static_cast<size_t>(n - k)];
  }
  return result;
}

std::optional<std::vector<std::string>> asked_metrics(const PointInfo& point) {
  const ConfigNode config = load_yaml_text(point.config_yaml, "the point's config");
  const ConfigNode* list = config.find("metrics.list");
  if (list == nullptr || !list->is_list()) return std::nullopt;
  return list->as_string_list();
}

SweepSummary read_sweep(const std::filesystem::path& folder) {
  SweepSummary sweep{.folder = folder};
  std::vector<std::string> unfinished;
  std::vector<std::string> damaged;
  for (const path& place : folders_in(folder / "points")) {
    if (is_set_aside(place)) continue;
    if (!point_finished(place)) {
      unfinished.push_back(name_of(place));
      continue;
    }
    try {
      PointSummary point;
      read_point(point, place);
      sweep.points.push_back(std::move(point));
    } catch (const Error& error) {
      damaged.push_back(fmt::format("{}: {}", name_of(place), error.what()));
    }
  }
  if (!unfinished.empty()) {
    sweep.notes.push_back(
        fmt::format("not in it, because unfinished: {}", fmt::join(unfinished, "; ")));
  }
  for (const std::string& point : damaged) {
    sweep.notes.push_back(fmt::format(
        "not in it, because it cannot be read: {}. The command that made the sweep makes it again",
        point));
  }
  if (sweep.points.empty()) fail_without_points(folder, sweep.notes);
  if (const auto replaced = remove_replaced(sweep.points); !replaced.empty()) {
    sweep.notes.push_back(
        fmt::format("not in it, because the same settings were run again later: "
                    "{} in {}",
                    fmt::join(replaced, ", "), (folder / "points").string()));
  }
  std::ranges::sort(sweep.points, stands_before);
  note_unused(sweep);
  return sweep;
}

SweepSummary summarise_sweep(const std::filesystem::path& folder) {
  SweepSummary sweep = read_sweep(folder);
  const std::vector<MissingReasons> reasons = complete_metrics(sweep.points, sweep.notes);
  for (size_t i = 0; i < sweep.points.size(); ++i) measure(sweep.points[i], reasons[i]);
  measure_sets(sweep.points, metrics(), sweep.notes);
  return sweep;
}

}  // namespace kvscope
