#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/step.h"

namespace kvscope {

/// What attention did, averaged over images: what was recorded, and a named array a statistic
/// (`kvscope attention list` says what each is). Heads are those of keys, each the mean over the
/// query heads that read it. Rows of the conditional branch, where a statistic does not compare
/// both. "Mass" of a query on a set of keys is the sum of its softmax weights on them, so the
/// masses of one query sum to 1.
struct AttentionRecord {
  std::string model{};
  std::string point_hash{};            ///< 64 hex digits of the resolved config; may be empty
  std::string recording{};             ///< hash of what was recorded of it and how; may be empty
  std::vector<std::string> prompts{};  ///< [images]
  std::vector<std::vector<uint8_t>> first_images{};  ///< PNG bytes; none in files that have none
  std::vector<StepInfo> steps{};
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;      ///< 0 in files that do not say
  int64_t images = 0;        ///< that the arrays are means over
  int64_t asked_images = 0;  ///< that it is to have; 0 in files that do not say
  std::map<std::string, NamedArray> arrays{};
  /// Between images, divisor n, of the arrays that are means; 0 for a single one. Only images that
  /// have something of a number count.
  std::map<std::string, NamedArray> variances{};
  /// [image, ...] the arrays of every image, where those are few numbers; NaN where an image has
  /// nothing of a number.
  std::map<std::string, NamedArray> of_images{};

  /// What figures and tables of it name as their source: the point; empty where it says none.
  [[nodiscard]] std::vector<std::string> provenance() const;
  /// "4 images", "4 of 40 images".
  [[nodiscard]] std::string images_text() const;
  /// Whether it has all images that it is to have.
  [[nodiscard]] bool is_complete() const { return images >= asked_images; }
  /// Whether it has the array, of all layers, heads and steps.
  [[nodiscard]] bool holds(const std::string& name) const;
  /// The array of all layers, heads and steps. Throws Error(kInput) naming what the record holds
  /// instead, and how to record `name`.
  [[nodiscard]] const NamedArray& array(const std::string& name) const;
  /// The array of whatever layers, heads and steps were recorded. Throws likewise.
  [[nodiscard]] const NamedArray& part(const std::string& name) const;
  /// "layers 0, 7..9 of 12": what an array lacks; empty where nothing.
  [[nodiscard]] std::string lack_of(const NamedArray& array) const;
  /// Keys that queries of `step` can see: K.
  [[nodiscard]] int64_t keys(int64_t step) const {
    return steps[step].first_token + steps[step].queries();
  }
  /// Single tokens of a next-token model, or scales: whether the first step is a prefill.
  [[nodiscard]] bool is_next_token() const {
    return !steps.empty() && steps.front().kind == StepKind::kPrefill;
  }
};

}  // namespace kvscope
