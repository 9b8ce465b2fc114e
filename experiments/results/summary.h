#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"

namespace kvscope {

/// A value over a point's images with the ends of its 95 % confidence interval (NaN: too few images
/// for one). Where `missing` says why, there is no value.
struct Measured {
  double value = kNotMeasured;
  double low = kNotMeasured;
  double high = kNotMeasured;
  std::string missing{};

  [[nodiscard]] bool present() const { return missing.empty(); }
  /// Half the interval; negative without one.
  [[nodiscard]] double half_width() const { return high >= low ? (high - low) / 2 : -1; }
};

/// One point of a sweep in the numbers of a table row.
struct PointSummary {
  std::filesystem::path folder{};
  ResultFile result{};
  // Bytes of an image, the most over all images; see ImageRow. 0 or NaN where a file has none.
  int64_t kv_planned_bytes = 0;
  int64_t kv_live_bytes = 0;
  int64_t kv_peak_bytes = 0;
  int64_t kv_peak_planned_bytes = 0;
  int64_t allocator_peak_bytes = 0;
  int64_t allocator_planned_bytes = 0;
  double device_peak_bytes = kNotMeasured;
  Measured seconds_per_image{};  ///< median, interval by order statistics
  Measured attention_ms{};       ///< median likewise
  Measured psnr_decibels{};      ///< mean over the images that differ from their reference
  int64_t identical_images = 0;  ///< equal to their reference (infinite PSNR), not in that mean
  Measured ssim{};               ///< mean, Student's t interval
  Measured shape_eval{};         ///< share of right pictures, Wilson's interval

  [[nodiscard]] const PointInfo& point() const { return result.point; }
};

/// The finished points of a sweep: by model, the full cache first, then by policy and falling
/// number of tokens.
struct SweepSummary {
  std::filesystem::path folder{};
  std::vector<PointSummary> points{};
  std::vector<std::string> notes{};  ///< what is not in it and why, e.g. unfinished points
};

/// Reads DIR/points/*/result.h5. Of points of the same settings (labels and overrides) the newest
/// counts, and a note names the others. Where a row has no PSNR or SSIM and both pictures are
/// there, it is measured now against the full-cache image of the same prompt and seed. Throws
/// Error(kInput) for a folder without finished points, naming folders with points near by, and for
/// damaged files.
SweepSummary summarise_sweep(const std::filesystem::path& folder);

/// The sweep of each model by itself, in its order: models do not share an axis of memory or the
/// pictures of a prompt. The notes stay behind.
std::vector<SweepSummary> by_model(const SweepSummary& sweep);

/// The median with a distribution-free interval of at least 95 % from order statistics (binomial);
/// no interval below 6 values. `missing` is set for none.
Measured median_of(std::vector<double> values);

}  // namespace kvscope
