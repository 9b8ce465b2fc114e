#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/attention/array_selection.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/attention_record.h"
#include "analysis/attention/statistic_registry.h"

namespace kvscope {

/// One statistic over the images of a recording: what it comes to over all of them, how it varies
/// between them, and, where that is few numbers, what it is of each.
///
/// Every image of a batch has a statistic of its own, which is added to the whole when the image is
/// complete. Of arrays of more than kMostMomentNumbers, where that would take too much memory, a
/// single one looks at all images, and there is no variance.
class RecordedStatistic {
 public:
  static constexpr int64_t kMostMomentNumbers = int64_t{1} << 25;

  /// Throws Error(kConfig) where options name what the model lacks.
  RecordedStatistic(const RegisteredStatistic& registered,
                    const AttentionRecorderOptions& options,
                    const CacheGeometry& geometry);

  [[nodiscard]] const std::string& name() const { return registered_.name; }
  [[nodiscard]] const StatisticInfo& info() const { return info_; }
  /// Of its array, in the layers, heads and steps recorded.
  [[nodiscard]] int64_t numbers() const { return selection_.numbers(); }
  /// Whether it looks at `step` at all, where some are not recorded.
  [[nodiscard]] bool observes(int64_t step) const {
    return !has_steps_ || options_.part.steps.contains(step);
  }
  /// One layer's step of a batch, granted info().needs.
  void observe(ObservedStep& step);
  /// The images of the batch are complete, with their agreements where info().needs.full_images.
  void end_generation(int64_t images, std::span<const std::vector<StepAgreement>> agreements = {});

  /// Adds array, variance and values of every image to the record, of the images there are.
  void add_to(AttentionRecord& record) const;

  /// Bytes of all numbers that are kept between generations.
  [[nodiscard]] int64_t held_bytes() const;

  /// Everything that a recording which goes on later needs, as named sections. Valid until the next
  /// call.
  template <class Number>
  struct Section {
    std::string name;
    std::span<Number> numbers;
  };
  [[nodiscard]] std::vector<Section<double>> sections();
  /// Likewise what is kept in fp32.
  [[nodiscard]] std::vector<Section<float>> map_sections();
  /// [images][numbers] of every image; empty where they are not kept.
  [[nodiscard]] const std::vector<float>& values_of_images() const { return values_of_images_; }
  /// Goes on with `images` images whose values these are. The sections have been written.
  void go_on(int64_t images, std::vector<float> values_of_images);
  /// Numbers of an image that are kept; 0: none.
  [[nodiscard]] int64_t numbers_of_image() const {
    return keeps_images_ ? selection_.numbers() : 0;
  }

 private:
  [[nodiscard]] std::unique_ptr<AttentionStatistic> made() const;
  /// A statistic for every image of a batch.
  void begin_images(int64_t images);
  void add(AttentionStatistic& image);
  [[nodiscard]] NamedArray described(std::vector<double> values) const;

  RegisteredStatistic registered_;
  AttentionRecorderOptions options_;
  CacheGeometry geometry_;
  std::unique_ptr<AttentionStatistic> all_;
  StatisticInfo info_;
  NamedArray empty_;  // all_.finish() without values
  ArraySelection selection_;
  bool has_steps_;
  bool by_image_;  // every image has a statistic of its own
  bool has_variance_;
  bool keeps_images_;
  std::vector<std::unique_ptr<AttentionStatistic>> of_images_;  // of the batch that is under way
  int64_t images_ = 0;
  // Of the numbers selected: over images that have something.
  std::vector<double> sums_;
  std::vector<double> squares_;
  std::vector<double> samples_;  // empty where every image has something
  std::vector<float> values_of_images_;
};

}  // namespace kvscope
