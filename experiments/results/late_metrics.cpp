#include "experiments/results/late_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "analysis/metrics/measurement.h"
#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/config/yaml.h"
#include "core/models/image_model.h"
#include "experiments/results/late_inputs.h"
#include "experiments/results/stored_sets.h"
#include "experiments/sweep/point_lease.h"

namespace kvscope {
namespace {

using ImageKey = std::tuple<uint64_t, std::string, uint64_t>;  // prompt and seed

ImageKey key_of(const ImageRow& row) {
  return {row.prompt_id, row.prompt, row.seed};
}

/// Labels but for those of what two points of one setting may differ in.
std::vector<std::pair<std::string, std::string>> shared_labels(const PointInfo& point) {
  auto labels = point.labels;
  std::erase_if(labels, [](const auto& label) {
    return label.first == "policy" || label.first == "budget" || label.first == "reference";
  });
  return labels;
}

/// The digests of a point's model, as its manifest has them.
std::string model_digests_of(const PointInfo& point) {
  const auto manifest = nlohmann::json::parse(point.manifest_json, nullptr, false);
  return manifest.is_object() && manifest.contains("sha256") ? manifest["sha256"].dump() : "";
}

PointSettings shared_settings(const PointSummary& point) {
  PointSettings settings = point.settings;
  std::erase_if(settings, [](const auto& setting) {
    const std::string& key = setting.first;
    return key == "policy" || key == "budget" || key.starts_with("policy.") ||
           key.starts_with("budget.");
  });
  return settings;
}

/// Whether `full`, a full cache, is what `point` is compared with. Points say so by the reference's
/// hash; of an earlier version's, which had others, settings and model decide.
bool is_reference_of(const PointSummary& full, const PointSummary& point) {
  if (!full.point().full_cache || shared_labels(full.point()) != shared_labels(point.point())) {
    return false;
  }
  if (full.point().label("reference") == point.point().label("reference")) return true;
  return shared_settings(full) == shared_settings(point) &&
         model_digests_of(full.point()) == model_digests_of(point.point());
}

/// The full cache of the same setting; null where there is none, or the point is one itself.
const PointSummary* reference_of(const PointSummary& point, std::span<const PointSummary> points) {
  if (point.point().full_cache) return nullptr;
  const auto found = std::ranges::find_if(
      points, [&](const PointSummary& other) { return is_reference_of(other, point); });
  return found == points.end() ? nullptr : &*found;
}

/// Rows by prompt and seed. They live as long as the point.
std::map<ImageKey, const ImageRow*> rows_by_key(const PointSummary& point) {
  std::map<ImageKey, const ImageRow*> row_of;
  for (const std::vector<ImageRow>* rows : {&point.result.rows, &point.unused_rows}) {
    for (const ImageRow& row : *rows) row_of[key_of(row)] = &row;
  }
  return row_of;
}

/// The steps that the point's tokens were sampled in; none where its configuration is not one that
/// this version knows.
std::optional<CacheGeometry> geometry_of(const PointInfo& point) {
  try {
    return model_facts(load_yaml_text(point.config_yaml, "the point's config").at("model")).cache;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Image> image_of(const PointSummary& point,
                              uint64_t image_index,
                              std::vector<std::string>& notes) {
  return stored_image(image_path(point.folder, image_index), &notes);
}

bool asks_for(const PointSummary& point, const Metric& metric) {
  return point.asked_metrics && std::ranges::count(*point.asked_metrics, metric.name) > 0;
}

void add_note(std::vector<std::string>& notes, const std::string& note) {
  if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
}

/// Those of `names` that have no value in some row of `point`, without the ones whose files do not
/// fit: the notes say so, and `reasons`.
std::vector<Metric> open_metrics(const PointSummary& point,
                                 const std::vector<std::string>& names,
                                 LateInputs& inputs,
                                 MissingReasons& reasons,
                                 std::vector<std::string>& notes) {
  std::vector<Metric> open;
  for (const std::string& name : names) {
    const bool is_open = std::ranges::any_of(
        point.result.rows, [&](const ImageRow& row) { return std::isnan(row.metrics[name]); });
    if (!is_open) continue;
    try {
      inputs.checked(point, metric_named(name));
      open.push_back(metric_named(name));
    } catch (const Error& error) {
      reasons[name] = error.what();
      add_note(notes, error.what());
    }
  }
  return open;
}

/// Fills what is open of `point`; whether there was a pair to be measured or none was open.
bool complete(PointSummary& point,
              const PointSummary* reference,
              const std::vector<std::string>& asked,
              LateInputs& inputs,
              MissingReasons& reasons,
              std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const Metric& metric : open_metrics(point, asked, inputs, reasons, notes)) {
    // A network that nothing can be measured with need not be loaded.
    if (metric.scope == MetricScope::kPair && reference == nullptr) continue;
    names.push_back(metric.name);
  }
  const auto twins =
      reference == nullptr ? std::map<ImageKey, const ImageRow*>() : rows_by_key(*reference);
  const Measurement measurement(names, inputs.of(point));
  std::optional<CacheGeometry> geometry;
  if (reference != nullptr && measurement.compares_tokens()) geometry = geometry_of(point.point());
  bool had_pair = false;
  for (ImageRow& row : point.result.rows) {
    if (!measurement.is_open(row.metrics, reference != nullptr)) {
      had_pair = true;
      continue;
    }
    std::optional<Image> expected;
    MeasuredTokens tokens{.image = row.packed_tokens, .geometry = geometry ? &*geometry : nullptr};
    if (const auto twin = twins.find(key_of(row)); twin != twins.end()) {
      expected = image_of(*reference, twin->second->image_index, notes);
      tokens.reference = twin->second->packed_tokens;
    }
    if (!measurement.is_open(row.metrics, expected.has_value())) continue;
    const std::optional<Image> made = image_of(point, row.image_index, notes);
    if (!made) continue;
    had_pair = had_pair || expected;
    const MetricValues before = row.metrics;
    measurement.measure({*made, row.prompt, row.skill, expected ? &*expected : nullptr, tokens},
                        row.metrics);
    point.filled_late = point.filled_late || std::ranges::any_of(names, [&](const auto& name) {
                          return std::isnan(before[name]) && !std::isnan(row.metrics[name]);
                        });
  }
  return had_pair;
}

/// The images of `point` that are there, each beside that of `reference` where both are.
void visit_images(const PointSummary& point,
                  const PointSummary* reference,
                  const std::function<void(const MeasuredImage&)>& visit,
                  std::vector<std::string>& notes) {
  const auto twins =
      reference == nullptr ? std::map<ImageKey, const ImageRow*>() : rows_by_key(*reference);
  for (const ImageRow& row : point.result.rows) {
    const std::optional<Image> made = image_of(point, row.image_index, notes);
    if (!made) continue;
    std::optional<Image> expected;
    if (const auto twin = twins.find(key_of(row)); twin != twins.end()) {
      expected = image_of(*reference, twin->second->image_index, notes);
    }
    visit({*made, row.prompt, row.skill, expected ? &*expected : nullptr});
  }
}

int64_t images_there(const PointSummary& point) {
  return std::ranges::count_if(point.result.rows, [&](const ImageRow& row) {
    std::error_code unknown;
    return std::filesystem::exists(image_path(point.folder, row.image_index), unknown);
  });
}

/// A digest of what the set of `point` and its reference are made of.
std::string set_digest(const PointSummary& point, const PointSummary* reference) {
  Sha256 digest;
  for (const PointSummary* one : {&point, reference}) {
    if (one == nullptr) continue;
    digest.update(one->point().point_hash);
    for (const ImageRow& row : one->result.rows) {
      std::error_code unknown;
      const bool is_there =
          std::filesystem::exists(image_path(one->folder, row.image_index), unknown);
      digest.update(fmt::format("{} {} {} {}\n", row.image_index, row.seed, row.token_sha256,
                                is_there ? "there" : "missing"));
    }
  }
  return digest.hex_digest();
}

Measured measured_set(const PointSummary& point,
                      const PointSummary* reference,
                      const Metric& metric,
                      LateInputs& inputs,
                      std::vector<std::string>& notes) {
  const auto origin = point.point().metric_origins.find(metric.name);
  const bool has_origin = origin != point.point().metric_origins.end();
  const std::string images = has_origin ? set_digest(point, reference) : "";
  if (has_origin) {
    const auto stored = stored_set(point.folder, metric.name);
    if (stored && stored->origin == origin->second && stored->images == images) {
      return measured_of(stored->summary, metric.undefined);
    }
  }
  const MeasureSet measure = metric.make_of_set(inputs.checked(point, metric));
  bool is_empty = true;
  const MetricSummary summary = measure([&](const auto& visit) {
    const auto counted = [&](const MeasuredImage& image) {
      is_empty = false;
      visit(image);
    };
    visit_images(point, reference, counted, notes);
  });
  if (is_empty) return {.missing = "no image of the point is there"};
  if (has_origin) store_set(point.folder, metric.name, {origin->second, images, summary});
  return measured_of(summary, metric.undefined);
}

}  // namespace

std::vector<MissingReasons> complete_metrics(std::span<PointSummary> points,
                                             std::vector<std::string>& notes) {
  std::vector<MissingReasons> reasons;
  LateInputs inputs;
  for (PointSummary& point : points) {
    const bool asks_for_none = point.asked_metrics && point.asked_metrics->empty();
    std::vector<std::string> names;
    for (const Metric& metric : metrics()) {
      const bool is_standard_pair =
          metric.scope == MetricScope::kPair && metric.standard && !asks_for_none;
      if (metric.scope != MetricScope::kSet && (is_standard_pair || asks_for(point, metric))) {
        names.push_back(metric.name);
      }
    }
    const PointSummary* reference = reference_of(point, points);
    MissingReasons& of_point = reasons.emplace_back();
    const bool had_pair = complete(point, reference, names, inputs, of_point, notes);
    for (const Metric& metric : metrics()) {
      std::string& reason = of_point[metric.name];
      if (!reason.empty()) continue;  // its files
      const bool is_pair = metric.scope == MetricScope::kPair;
      if (is_pair && point.point().full_cache) {
        reason = "the reference itself";
      } else if (!asks_for(point, metric) &&
                 (!metric.standard || asks_for_none || (!is_pair && point.asked_metrics))) {
        reason = "metrics.list of the point does not have " + metric.name;
      } else if (is_pair && reference == nullptr) {
        reason = "no full-cache point of the same setting";
      } else if (is_pair && !had_pair) {
        reason = "no full-cache image of the same prompt and seed";
      } else {
        reason = metric.undefined.empty() ? "not measured" : metric.undefined;
      }
    }
  }
  return reasons;
}

void write_late_metrics(std::span<const PointSummary> points) {
  for (const PointSummary& point : points) {
    if (!point.filled_late) continue;
    try {
      const std::optional<PointLease> lease = PointLease::try_take(point.folder);
      if (!lease) continue;
      ResultFile file = read_result(point.folder / "result.h5");
      if (file.point.point_hash != point.point().point_hash) continue;
      std::map<uint64_t, const ImageRow*> filled;
      for (const ImageRow& row : point.result.rows) filled[row.image_index] = &row;
      for (ImageRow& row : file.rows) {
        const auto found = filled.find(row.image_index);
        if (found == filled.end() || key_of(*found->second) != key_of(row)) continue;
        for (const Metric& metric : metrics()) {
          double& value = row.metrics[metric.name];
          if (std::isnan(value)) value = found->second->metrics[metric.name];
        }
      }
      write_result(point.folder / "result.h5", file);
    } catch (const Error&) {
      // The table has the values all the same.
    }
  }
}

void measure_sets(std::span<PointSummary> points,
                  std::span<const Metric> known,
                  std::vector<std::string>& notes) {
  LateInputs inputs;
  for (PointSummary& point : points) {
    for (const Metric& metric : known) {
      if (metric.scope != MetricScope::kSet || !asks_for(point, metric)) continue;
      Measured& measured = point.metrics[metric.name];
      try {
        measured = measured_set(point, reference_of(point, points), metric, inputs, notes)
                       .over(images_there(point), std::ssize(point.result.rows));
        if (!measured.present() && point.point().full_cache) {
          measured.missing = "the reference itself";
        }
      } catch (const Error& error) {
        measured = {.missing = error.what()};
        add_note(notes, error.what());
      }
    }
  }
}

}  // namespace kvscope
