#include "experiments/commands/results/sweep_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/mebibytes.h"
#include "experiments/report/figures/trade_off.h"
#include "experiments/results/name_match.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

constexpr int64_t kShownWidthPixels = 128;

std::vector<std::string> provenance_of(const SweepSummary& sweep) {
  std::vector<std::string> hashes;
  for (const PointSummary& summary : sweep.points) hashes.push_back(short_hash(summary.point()));
  return hashes;
}

/// The point's image of the same prompt and seed; of the same prompt and place where its base seed
/// is another.
std::optional<Image> image_of(const PointSummary& summary, const ImageRow& wanted, bool same_seed) {
  const auto row = std::ranges::find_if(summary.result.rows, [&](const ImageRow& other) {
    return other.prompt_id == wanted.prompt_id &&
           (same_seed ? other.seed == wanted.seed : other.image_index == wanted.image_index);
  });
  if (row == summary.result.rows.end()) return std::nullopt;
  return stored_image(image_path(summary.folder, row->image_index));
}

std::vector<std::string> details_of(const PointSummary& summary) {
  std::vector<std::string> lines;
  const PointInfo& point = summary.point();
  if (!point.label("budget").empty()) lines.push_back(point.label("budget"));
  lines.push_back(fmt::format("{:.2f} MiB", mebibytes(summary.kv_peak_bytes)));
  for (const Metric& metric : metrics()) {
    const Measured& measured = summary.metric(metric);
    if (metric.beside_images.empty() || !measured.present()) continue;
    lines.push_back(std::isinf(measured.value) && !metric.all_left_out.empty()
                        ? metric.all_left_out
                        : fmt::format(fmt::runtime(metric.beside_images), measured.value));
  }
  return lines;
}

/// The policies of the chart that a user's words mean.
std::vector<std::string> highlighted_names(const std::vector<TradeOff>& points,
                                           const std::vector<std::string>& words) {
  std::vector<std::string> known;
  for (const TradeOff& point : points) known.push_back(point.policy);
  std::vector<std::string> names;
  for (const std::string& word : words) {
    for (std::string& name : meant_names({"--highlight", "policy"}, word, known)) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::filesystem::path figure_path(const SweepSummary& of_model,
                                  const std::string& name,
                                  size_t models) {
  const std::string model = of_model.points.front().point().label("model");
  return of_model.folder / "report" / (models > 1 ? name + "_" + model : name);
}

Chart quality_chart(const SweepSummary& sweep,
                    const Metric& metric,
                    const std::vector<std::string>& highlighted) {
  const std::vector<LabelKey> differing = differing_keys(sweep);
  std::vector<TradeOff> points;
  std::optional<TradeOff> full;
  int64_t full_points = 0;
  for (const PointSummary& summary : sweep.points) {
    const Measured& measured = summary.metric(metric);
    TradeOff point{.policy = series_name(summary, differing),
                   .label = summary.point().label("budget"),
                   .memory_mib = mebibytes(summary.kv_peak_bytes),
                   .quality = measured.value,
                   .quality_low = measured.low,
                   .quality_high = measured.high};
    if (summary.point().full_cache) {
      ++full_points;
      // Without a value of its own, the reference still marks the memory it needs.
      if (!measured.present()) point.quality = INFINITY;
      full = point;
    } else if (measured.present()) {
      points.push_back(point);
    }
  }
  // Reference lines of several full caches would not say whose they are.
  if (full_points != 1) full.reset();
  Chart chart = trade_off_chart(
      points, full, {.label = metric.title, .unit = metric.unit, .remark = metric.remark()},
      highlighted_names(points, highlighted), metric.higher_is_better);
  chart.subtitle = sweep.points.front().point().label("model");
  chart.provenance = provenance_of(sweep);
  return chart;
}

ContactSheet sweep_contact_sheet(const SweepSummary& sweep,
                                 int64_t prompts,
                                 int64_t magnification) {
  if (prompts < 1 || magnification < 0) {
    throw Error(ErrorKind::kConfig,
                fmt::format("contact sheet of {} prompts, magnification {}: "
                            "expected at least 1 prompt, magnification 0 or more",
                            prompts, magnification));
  }
  const std::vector<LabelKey> differing = differing_keys(sweep);
  const auto base_seed = [](const PointSummary& summary) {
    return label_value(summary, {"gen.seed", "seed"});
  };
  std::vector<ImageRow> shown = sweep.points.front().result.rows;
  shown.resize(std::min(shown.size(), static_cast<size_t>(prompts)));
  ContactSheet sheet{.title = "The same prompts and seeds under each policy and budget"};
  for (const ImageRow& row : shown) sheet.prompts.push_back(row.prompt);
  int64_t width_pixels = 0;
  for (const PointSummary& summary : sweep.points) {
    ContactRow row{
        .label = series_name(summary, differing), .details = details_of(summary), .images = {}};
    const bool same_seed = base_seed(summary) == base_seed(sweep.points.front());
    for (const ImageRow& image : shown) {
      row.images.push_back(image_of(summary, image, same_seed));
      if (row.images.back()) width_pixels = std::max(width_pixels, row.images.back()->width);
    }
    sheet.rows.push_back(std::move(row));
  }
  sheet.magnification = magnification;
  if (magnification == 0) {
    sheet.magnification =
        std::clamp<int64_t>(kShownWidthPixels / std::max<int64_t>(width_pixels, 1), 1, 8);
  }
  sheet.provenance = provenance_of(sweep);
  return sheet;
}

}  // namespace kvscope
