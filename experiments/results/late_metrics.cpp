#include "experiments/results/late_metrics.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <utility>

#include "analysis/metrics/measurement.h"
#include "analysis/metrics/registry.h"
#include "core/image/png.h"

namespace kvscope {
namespace {

using ImageKey = std::pair<uint64_t, uint64_t>;  // prompt and seed

bool same_setting(const PointInfo& a, const PointInfo& b) {
  const auto rest = [](const PointInfo& point) {
    auto labels = point.labels;
    std::erase_if(labels, [](const auto& label) {
      return label.first == "policy" || label.first == "budget";
    });
    return labels;
  };
  return rest(a) == rest(b);
}

/// The full cache of the same setting; null where there is none, or the point is one itself.
const PointSummary* reference_of(const PointSummary& point, std::span<const PointSummary> points) {
  if (point.point().full_cache) return nullptr;
  const auto found = std::ranges::find_if(points, [&](const PointSummary& other) {
    return other.point().full_cache && same_setting(other.point(), point.point());
  });
  return found == points.end() ? nullptr : &*found;
}

std::map<ImageKey, uint64_t> images_by_key(const PointSummary& point) {
  std::map<ImageKey, uint64_t> index_of;
  for (const ImageRow& row : point.result.rows) {
    index_of[{row.prompt_id, row.seed}] = row.image_index;
  }
  return index_of;
}

std::optional<Picture> image_of(const PointSummary& point, uint64_t image_index) {
  const std::filesystem::path path = image_path(point.folder, image_index);
  if (!std::filesystem::exists(path)) return std::nullopt;
  return read_png(path).picture;
}

bool asks_for(const PointSummary& point, const Metric& metric) {
  return std::ranges::find(point.asked_metrics, metric.name) != point.asked_metrics.end();
}

/// Fills the open pairs of `point`; whether there was a pair to be measured or none was open.
bool complete(PointSummary& point, const PointSummary& reference, const Measurement& measurement) {
  const std::map<ImageKey, uint64_t> index_of = images_by_key(reference);
  bool had_pair = false;
  for (ImageRow& row : point.result.rows) {
    if (!measurement.is_open(row.metrics, true)) {
      had_pair = true;
      continue;
    }
    const auto twin = index_of.find({row.prompt_id, row.seed});
    if (twin == index_of.end()) continue;
    const std::optional<Picture> expected = image_of(reference, twin->second);
    const std::optional<Picture> made = image_of(point, row.image_index);
    if (!expected || !made) continue;
    had_pair = true;
    measurement.measure({*made, row.prompt, row.skill, &*expected}, row.metrics);
  }
  return had_pair;
}

}  // namespace

std::vector<MissingReasons> complete_pair_metrics(std::span<PointSummary> points) {
  std::vector<MissingReasons> reasons;
  for (PointSummary& point : points) {
    std::vector<std::string> names;
    for (const Metric& metric : metrics()) {
      if (metric.scope == MetricScope::kPair && (metric.standard || asks_for(point, metric))) {
        names.push_back(metric.name);
      }
    }
    const PointSummary* reference = reference_of(point, points);
    const bool had_pair = reference != nullptr && complete(point, *reference, Measurement(names));
    MissingReasons& of_point = reasons.emplace_back();
    for (const Metric& metric : metrics()) {
      std::string& reason = of_point[metric.name];
      const bool is_pair = metric.scope == MetricScope::kPair;
      if (is_pair && point.point().full_cache) {
        reason = "the reference itself";
      } else if (!asks_for(point, metric) &&
                 (!metric.standard || (!is_pair && !point.asked_metrics.empty()))) {
        reason = "metrics.list of the point does not have " + metric.name;
      } else if (is_pair && reference == nullptr) {
        reason = "no full-cache point of the same setting";
      } else if (is_pair && !had_pair) {
        reason = "no full-cache picture of the same prompt and seed";
      } else {
        reason = metric.undefined.empty() ? "not measured" : metric.undefined;
      }
    }
  }
  return reasons;
}

void measure_sets(std::span<PointSummary> points, std::span<const Metric> known) {
  for (PointSummary& point : points) {
    for (const Metric& metric : known) {
      if (metric.scope != MetricScope::kSet || !asks_for(point, metric)) continue;
      const PointSummary* reference = reference_of(point, points);
      const auto index_of =
          reference == nullptr ? std::map<ImageKey, uint64_t>() : images_by_key(*reference);
      std::deque<Picture> pictures;  // a deque: what points into it stays where it is
      std::vector<MeasuredImage> images;
      for (const ImageRow& row : point.result.rows) {
        std::optional<Picture> made = image_of(point, row.image_index);
        if (!made) continue;
        MeasuredImage image{pictures.emplace_back(std::move(*made)), row.prompt, row.skill};
        const auto twin = index_of.find({row.prompt_id, row.seed});
        if (twin != index_of.end()) {
          if (auto expected = image_of(*reference, twin->second)) {
            image.reference = &pictures.emplace_back(std::move(*expected));
          }
        }
        images.push_back(image);
      }
      Measured& measured = point.metrics[metric.name];
      if (images.empty()) {
        measured = {.missing = "no image of the point is there"};
      } else {
        measured = measured_of(metric.make_of_set()(images), metric.undefined);
      }
    }
  }
}

}  // namespace kvscope
