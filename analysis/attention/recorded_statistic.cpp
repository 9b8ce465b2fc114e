#include "analysis/attention/recorded_statistic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kvscope {
namespace {

NamedArray without_values(NamedArray array) {
  array.values = std::vector<double>();  // frees what they took
  return array;
}

/// The unit of a variance: "share^2", "(share^2)^2".
std::string squared(const std::string& unit) {
  const bool is_word = unit.find_first_of(" ^/") == unit.npos;
  return is_word ? unit + "^2" : fmt::format("({})^2", unit);
}

}  // namespace

RecordedStatistic::RecordedStatistic(const RegisteredStatistic& registered,
                                     const AttentionRecorderOptions& options,
                                     const CacheGeometry& geometry)
    : registered_(registered),
      options_(options),
      geometry_(geometry),
      all_(made()),
      info_(all_->info()),
      empty_(without_values(all_->finish(1))),
      selection_(empty_.axes, options.part),
      has_steps_(has_steps(empty_.axes)) {
  int64_t numbers = 1;
  for (const ArrayAxis& axis : empty_.axes) numbers *= axis.size();
  const bool is_first = info_.across_images == AcrossImages::kFirst;
  by_image_ = !is_first && numbers <= kMostMomentNumbers;
  has_variance_ = by_image_ && info_.across_images == AcrossImages::kMean;
  keeps_images_ = by_image_ && selection_.numbers() <= options.per_image_numbers;
  if (has_variance_) {
    for (std::vector<double>* moments : {&sums_, &squares_}) {
      moments->assign(static_cast<size_t>(selection_.numbers()), 0.0);
    }
    if (!all_->weights().empty()) samples_.assign(sums_.size(), 0.0);
  }
}

std::unique_ptr<AttentionStatistic> RecordedStatistic::made() const {
  std::unique_ptr<AttentionStatistic> statistic = registered_.make(options_);
  statistic->begin_model(geometry_);
  return statistic;
}

void RecordedStatistic::observe(ObservedStep& step) {
  if (info_.across_images == AcrossImages::kFirst) {
    if (images_ > 0) return;
    step.look_at(0);
    all_->observe(step);
  } else if (!by_image_) {
    all_->observe(step);
  } else {
    begin_images(step.images());
    const int64_t images = step.images();
    for (int64_t image = 0; image < images; ++image) {
      step.look_at(image);
      of_images_[static_cast<size_t>(image)]->observe(step);
    }
  }
  step.look_at_all();
}

void RecordedStatistic::end_generation(int64_t images,
                                       std::span<const std::vector<StepAgreement>> agreements) {
  if (by_image_) {
    begin_images(images);  // where there was nothing to observe
    for (size_t image = 0; image < static_cast<size_t>(images); ++image) {
      of_images_[image]->end_image(agreements.empty() ? std::span<const StepAgreement>{}
                                                      : agreements[image]);
      add(*of_images_[image]);
    }
    of_images_.clear();  // nothing of them is held while images are decoded
  }
  images_ += images;
}

void RecordedStatistic::begin_images(int64_t images) {
  while (std::ssize(of_images_) < images) of_images_.push_back(made());
}

void RecordedStatistic::add(AttentionStatistic& image) {
  if (has_variance_ || keeps_images_) {
    std::vector<double> values = selection_.of(image.finish(1).values);
    if (!image.weights().empty()) {
      const std::vector<double> weights = selection_.of(image.weights());
      for (size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] <= 0) values[i] = std::numeric_limits<double>::quiet_NaN();
      }
    }
    if (keeps_images_) {
      values_of_images_.insert(values_of_images_.end(), values.begin(), values.end());
    }
    if (has_variance_) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) continue;
        if (!samples_.empty()) samples_[i] += 1;
        sums_[i] += values[i];
        squares_[i] += values[i] * values[i];
      }
    }
  }
  const std::vector<std::span<double>> from = image.sums();
  const std::vector<std::span<double>> to = all_->sums();
  for (size_t section = 0; section < to.size(); ++section) {
    for (size_t i = 0; i < to[section].size(); ++i) {
      double& sum = to[section][i];
      const double of_image = from[section][i];
      sum =
          info_.across_images == AcrossImages::kLargest ? std::max(sum, of_image) : sum + of_image;
    }
  }
}

NamedArray RecordedStatistic::described(std::vector<double> values) const {
  NamedArray array = empty_;
  array.axes = selection_.axes();
  array.values = std::move(values);
  array.unit = info_.unit;
  array.help = registered_.help;
  return array;
}

void RecordedStatistic::add_to(AttentionRecord& record) const {
  if (images_ == 0) return;
  record.arrays.emplace(name(), described(selection_.of(all_->finish(images_).values)));
  if (has_variance_) {
    std::vector<double> variance(sums_.size(), 0.0);
    for (size_t i = 0; i < variance.size(); ++i) {
      const double samples = samples_.empty() ? static_cast<double>(images_) : samples_[i];
      if (samples == 0) continue;
      const double mean = sums_[i] / samples;
      variance[i] = std::max(squares_[i] / samples - mean * mean, 0.0);
    }
    NamedArray& array =
        record.variances.emplace(name(), described(std::move(variance))).first->second;
    array.unit = squared(info_.unit);
    array.precision = ArrayPrecision::kSingle;  // squares of small numbers
  }
  if (keeps_images_) {
    NamedArray& array =
        record.of_images
            .emplace(name(), described({values_of_images_.begin(), values_of_images_.end()}))
            .first->second;
    array.axes.insert(array.axes.begin(), ArrayAxis::counted("image", images_));
  }
}

int64_t RecordedStatistic::held_bytes() const {
  const auto bytes_of = [](AttentionStatistic& statistic) {
    size_t bytes = 0;
    for (const std::span<double> sums : statistic.sums()) bytes += sums.size_bytes();
    for (const std::span<float> map : statistic.maps()) bytes += map.size_bytes();
    return bytes;
  };
  const size_t bytes = bytes_of(*all_) + sizeof(float) * values_of_images_.size() +
                       sizeof(double) * (sums_.size() + squares_.size() + samples_.size());
  return static_cast<int64_t>(bytes);
}

std::vector<RecordedStatistic::Section<double>> RecordedStatistic::sections() {
  std::vector<Section<double>> sections;
  for (const std::span<double> sums : all_->sums()) {
    sections.push_back({fmt::format("{}.{}", name(), sections.size()), sums});
  }
  if (has_variance_) {
    sections.push_back({name() + ".image_sums", sums_});
    sections.push_back({name() + ".image_squares", squares_});
    if (!samples_.empty()) sections.push_back({name() + ".image_samples", samples_});
  }
  return sections;
}

std::vector<RecordedStatistic::Section<float>> RecordedStatistic::map_sections() {
  std::vector<Section<float>> sections;
  for (const std::span<float> map : all_->maps()) {
    sections.push_back({fmt::format("{}.map{}", name(), sections.size()), map});
  }
  return sections;
}

void RecordedStatistic::go_on(int64_t images, std::vector<float> values_of_images) {
  images_ = images;
  values_of_images_ = std::move(values_of_images);
}

}  // namespace kvscope
