#include "analysis/attention/first_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "analysis/statistics/distributions.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

std::span<const double> values_of(const NamedArray& of_images, int64_t image) {
  const size_t numbers =
      of_images.values.size() / static_cast<size_t>(of_images.axes.front().size());
  return std::span(of_images.values).subspan(static_cast<size_t>(image) * numbers, numbers);
}

/// How many of the first images have something of each number.
std::vector<double> samples_of(const NamedArray& of_images, int64_t images) {
  std::vector<double> samples;
  for (int64_t image = 0; image < images; ++image) {
    const auto values = values_of(of_images, image);
    samples.resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) samples[i] += std::isnan(values[i]) ? 0 : 1;
  }
  return samples;
}

const NamedArray& kept_of_images(const AttentionRecord& record, const std::string& name) {
  static_cast<void>(record.part(name));  // whether there is such an array at all
  const auto found = record.of_images.find(name);
  if (found != record.of_images.end()) return found->second;
  throw Error(ErrorKind::kInput,
              fmt::format("the record does not keep '{}' of every image: it is of the first image, "
                          "or of more numbers than record.per_image_numbers was",
                          name));
}

/// What a variance with divisor n is multiplied by; NaN for fewer than two samples.
double factor_of(double samples, ImageSpread spread) {
  constexpr double kUpper = 0.975;  // of a two-sided 95 % interval
  if (samples < 2) return std::numeric_limits<double>::quiet_NaN();
  return spread == ImageSpread::kDeviation
             ? samples / (samples - 1)
             : std::pow(student_t_quantile(kUpper, samples - 1), 2) / (samples - 1);
}

}  // namespace

AttentionRecord of_first_images(const AttentionRecord& record, int64_t images) {
  if (images < 1 || images > record.images) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} images of a record of {}", images, record.images));
  }
  const auto prompts = std::min(std::ssize(record.prompts), static_cast<std::ptrdiff_t>(images));
  AttentionRecord first{.model = record.model,
                        .point_hash = record.point_hash,
                        .recording = record.recording,
                        .prompts = {record.prompts.begin(), record.prompts.begin() + prompts},
                        .first_images = record.first_images,
                        .steps = record.steps,
                        .layers = record.layers,
                        .heads = record.heads,
                        .head_dim = record.head_dim,
                        .images = images,
                        .asked_images = record.asked_images};
  for (const auto& [name, of_images] : record.of_images) {
    const auto whole = record.arrays.find(name);
    if (whole == record.arrays.end() || !record.variances.contains(name)) continue;
    NamedArray mean = whole->second;
    mean.values.assign(mean.values.size(), 0);
    const std::vector<double> samples = samples_of(of_images, images);
    for (int64_t image = 0; image < images; ++image) {
      const auto values = values_of(of_images, image);
      for (size_t i = 0; i < values.size(); ++i) {
        if (!std::isnan(values[i])) mean.values[i] += values[i] / samples[i];
      }
    }
    first.arrays.emplace(name, std::move(mean));
  }
  return first;
}

NamedArray image_spread(const AttentionRecord& record,
                        const std::string& name,
                        ImageSpread spread) {
  NamedArray array = record.part(name);
  const auto variance = record.variances.find(name);
  if (variance == record.variances.end() || record.images < 2) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("the record cannot say how '{}' varies between images: {}", name,
                    record.images < 2 ? "it is of a single one"
                                      : "it is no mean over them, or has too many numbers"));
  }
  const auto kept = record.of_images.find(name);
  const std::vector<double> samples =
      kept == record.of_images.end()
          ? std::vector<double>(array.values.size(), static_cast<double>(record.images))
          : samples_of(kept->second, record.images);
  std::map<double, double> factors;  // by samples: a quantile takes a while
  for (size_t i = 0; i < array.values.size(); ++i) {
    const auto [factor, is_new] = factors.try_emplace(samples[i]);
    if (is_new) factor->second = factor_of(samples[i], spread);
    array.values[i] = std::sqrt(variance->second.values[i] * factor->second);
  }
  return array;
}

NamedArray of_image(const AttentionRecord& record, const std::string& name, int64_t image) {
  const NamedArray& of_images = kept_of_images(record, name);
  const int64_t images = of_images.axes.front().size();
  if (image < 0 || image >= images) {
    throw Error(ErrorKind::kConfig,
                fmt::format("image {} of a record of images 0..{}", image, images - 1));
  }
  NamedArray array = record.part(name);
  const auto values = values_of(of_images, image);
  array.values.assign(values.begin(), values.end());
  return array;
}

}  // namespace kvscope
