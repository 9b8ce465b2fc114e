#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/recipe.h"
#include "experiments/results/result_file.h"

namespace kvscope {

/// A value over a point's images with the ends of its 95 % confidence interval (NaN: too few images
/// for one). Where `missing` says why, there is no value.
struct Measured {
  double value = kNotMeasured;
  double low = kNotMeasured;
  double high = kNotMeasured;
  std::string missing{};
  int64_t left_out = 0;                ///< images that are not in it, see Metric::left_out
  std::optional<PartOfImages> part{};  ///< where some of the images have no value

  [[nodiscard]] bool present() const { return missing.empty(); }
  /// Half the interval; negative without one.
  [[nodiscard]] double half_width() const { return high >= low ? (high - low) / 2 : -1; }
  /// Says that `images` of `all` have a value.
  [[nodiscard]] Measured over(int64_t images, int64_t all) const;
  [[nodiscard]] TableCell cell() const;
};

/// One point of a sweep in the numbers of a table row.
struct PointSummary {
  std::filesystem::path folder{};
  ResultFile result{};                  ///< rows: those that the point asks for
  std::vector<ImageRow> unused_rows{};  ///< that it has besides, from when it asked for more
  PointSettings settings{};             ///< point_settings() of it
  Recipe recipe{};                      ///< recipe_of() it
  // Bytes of an image, the most over all images; see ImageRow. 0 or NaN where a file has none.
  int64_t kv_planned_bytes = 0;
  int64_t kv_live_bytes = 0;
  int64_t kv_peak_bytes = 0;
  int64_t kv_peak_planned_bytes = 0;
  int64_t allocator_peak_bytes = 0;
  int64_t allocator_planned_bytes = 0;
  double device_peak_bytes = kNotMeasured;
  Measured seconds_per_image{};                            ///< median, interval by order statistics
  Measured attention_ms{};                                 ///< median likewise
  std::map<std::string, Measured, std::less<>> metrics{};  ///< by name; missing ones say why
  bool filled_late = false;  ///< rows have values now that the file has not
  std::optional<std::vector<std::string>> asked_metrics{};  ///< asked_metrics() of it

  [[nodiscard]] const PointInfo& point() const { return result.point; }
  /// What `metrics` has of it.
  [[nodiscard]] const Measured& metric(const Metric& metric) const;
};

/// The finished points of a sweep: by model, the full cache first, then by policy and falling
/// number of tokens.
struct SweepSummary {
  std::filesystem::path folder{};
  std::vector<PointSummary> points{};
  std::vector<std::string> notes{};  ///< what is not in it and why, e.g. unfinished points
};

/// metrics.list of a point's config; none where it does not say, as those of before do not. A list
/// of nothing asks for no metric.
std::optional<std::vector<std::string>> asked_metrics(const PointInfo& point);

/// Reads DIR/points/*/result.h5. Of points of the same settings (labels and config) the one
/// that was finished last, by what its file says, counts, and a note names the others. Where a row
/// lacks a metric of pairs and both images are there, it is measured now against the full-cache
/// image of the same prompt and seed, and written into the point's file. Points that are unfinished
/// or damaged are left out, and notes say so. Throws Error(kInput) for a folder without a finished
/// point that can be read, naming folders with points near by.
SweepSummary summarise_sweep(const std::filesystem::path& folder);

/// The sweep of each model by itself, in its order: models do not share an axis of memory or the
/// images of a prompt. The notes stay behind.
std::vector<SweepSummary> by_model(const SweepSummary& sweep);

/// A metric's summary, or missing for the reason `undefined` where its estimate is NaN.
Measured measured_of(const MetricSummary& summary, const std::string& undefined);

/// The median with a distribution-free interval of at least 95 % from order statistics (binomial);
/// no interval below 6 values. `missing` is set for none.
Measured median_of(std::vector<double> values);

}  // namespace kvscope
