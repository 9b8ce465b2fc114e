#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/statistics/interval.h"
#include "core/base/image.h"

namespace kvscope {

class MetricInputs;
struct CacheGeometry;

/// What a metric looks at: an image alone, an image beside the full-cache image of the same prompt
/// and seed, or all images of a point at once.
enum class MetricScope { kImage, kPair, kSet };

/// The tokens that an image and its reference are made of, as models pack them
/// (core/models/packed_tokens.h). Empty where they are not known.
struct MeasuredTokens {
  std::span<const uint8_t> image{};
  std::span<const uint8_t> reference{};
  const CacheGeometry* geometry = nullptr;  ///< in whose steps they were sampled

  [[nodiscard]] bool known() const {
    return geometry != nullptr && !image.empty() && !reference.empty();
  }
};

/// An image as a metric sees it. Nothing is owned.
struct MeasuredImage {
  const Image& image;
  std::string_view prompt{};
  std::string_view skill{};          ///< of a caption of the shapes task; else empty
  const Image* reference = nullptr;  ///< the full-cache image; never null where pairs are measured
  MeasuredTokens tokens{};           ///< of both
};

/// A metric over the images of a point.
struct MetricSummary {
  Interval interval{};   ///< 95 %; ends NaN where there is none
  int64_t left_out = 0;  ///< images whose value is not in it, see Metric::left_out
};

/// NaN where the metric says nothing about the image (Metric::undefined tells why). Throws
/// Error(kInput) for a pair of unlike size, in pixels or tokens.
using MeasureImage = std::function<double(const MeasuredImage&)>;
/// Calls `visit` for every image of a point, one after the other: they need not fit in memory.
using EachImage = std::function<void(const std::function<void(const MeasuredImage&)>& visit)>;
using MeasureSet = std::function<MetricSummary(const EachImage&)>;

/// What a metric is given besides images: a file or a setting, the key metrics.KEY of a run. Equal
/// keys of several metrics are one.
struct MetricInput {
  enum class Kind { kFile, kWord, kInteger };
  std::string key{};  ///< "weights.clip"
  std::string help{};
  Kind kind = Kind::kFile;
  std::vector<std::string> allowed{};  ///< of a word
  bool needed = true;                  ///< a file without which nothing can be measured
  std::string file_name{};             ///< as published; looked for in metrics.weights.folder
  std::string source{};                ///< "NAME of PUBLISHER, ADDRESS": where the file comes from
};

/// A quality metric: everything that tables, figures, files and help say about it. One lives in
/// analysis/metrics/<name>.cpp, whose metric_<name>() returns it, and has one line in metrics.def;
/// whatever handles metrics iterates over those (registry.h).
struct Metric {
  std::string name{};     ///< in options, configs, file names and as the dataset metrics/<name>
  std::string label{};    ///< heads a column: "PSNR"
  std::string title{};    ///< on an axis and above a table: "PSNR to the full cache"
  std::string unit{};     ///< empty: none
  std::string meaning{};  ///< a few words beside an axis; may be empty
  std::string note{};     ///< what a report says below its table; may be empty
  MetricScope scope = MetricScope::kImage;
  bool of_tokens = false;  ///< compares MeasuredTokens; NaN where they are not known
  bool higher_is_better = true;
  double lowest = -std::numeric_limits<double>::infinity();  ///< values and means lie within
  double highest = std::numeric_limits<double>::infinity();
  int decimals = 3;            ///< in a table of points
  int decimals_by_budget = 3;  ///< in a table of policies by budget, which has narrow columns
  /// fmt's format of the value in a line beside images, as "{:.1f} dB"; empty: it has no such line.
  std::string beside_images{};
  /// Measured unless told otherwise: its column is there even where no image has a value.
  bool standard = false;
  std::string undefined{};  ///< why a point may have no value though everything needed was there
  /// Heads a column that counts the images whose value a summary leaves out; empty: none ever is.
  std::string left_out{};
  std::string all_left_out{};  ///< the line beside images where every one was left out

  /// Names how the value is computed; another name is another number. Stored beside the values.
  std::string implementation{};
  std::vector<MetricInput> inputs{};

  /// Over the values of a point's images, none of them NaN, at least one. Not of a set.
  MetricSummary (*summarise)(std::span<const double> values) = nullptr;
  /// Makes what measures an image or a pair from its `inputs` (metric_inputs.h); opens its files
  /// and keeps what they hold. Throws Error(kInput) for a file that does not fit.
  MeasureImage (*make)(const MetricInputs&) = nullptr;
  /// Likewise for a set.
  MeasureSet (*make_of_set)(const MetricInputs&) = nullptr;

  /// `meaning`, and which way is better.
  [[nodiscard]] std::string remark() const;
};

/// The mean with Student's t interval.
MetricSummary summarise_mean(std::span<const double> values);

/// Likewise over the finite values; infinite ones are left out. All infinite: infinity, no
/// interval.
MetricSummary summarise_finite_mean(std::span<const double> values);

/// The share of ones among zeros and ones, with Wilson's interval.
MetricSummary summarise_share(std::span<const double> values);

}  // namespace kvscope
