#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/attention/index_ranges.h"
#include "analysis/attention/named_array.h"
#include "core/engine/plan.h"

namespace kvscope {

/// The layers, heads and steps that are recorded; none named: all.
struct RecordedPart {
  std::vector<IndexRange> layers{};
  std::vector<IndexRange> heads{};
  std::vector<IndexRange> steps{};
};

/// The same for a model: whether each is recorded.
struct RecordedIndices {
  std::vector<bool> layers{};
  std::vector<bool> heads{};
  std::vector<bool> steps{};

  /// Throws Error(kConfig) for what the model lacks.
  static RecordedIndices of(const RecordedPart& part, const CacheGeometry& geometry);
};

/// What of an array is of recorded layers, heads and steps: an element stays where every coordinate
/// "layer", "head" and "step" of its place is recorded, and every step from "first_step" to
/// "last_step".
class ArraySelection {
 public:
  ArraySelection(const std::vector<ArrayAxis>& axes, const RecordedIndices& recorded);

  [[nodiscard]] const std::vector<ArrayAxis>& axes() const { return axes_; }
  [[nodiscard]] int64_t numbers() const { return numbers_; }
  /// Those of `values`, row-major over all of the axes, that stay.
  [[nodiscard]] std::vector<double> of(std::span<const double> values) const;
  /// Without a copy where all stay.
  [[nodiscard]] std::vector<double> of(std::vector<double>&& values) const;

 private:
  std::vector<ArrayAxis> axes_;  // what is left of them
  int64_t numbers_ = 1;
  bool is_whole_ = true;
  std::vector<size_t> places_;  // of what stays; empty where all does
};

/// Whether something stands along the axes for every step: a statistic of such an array looks at
/// each step by itself.
bool has_steps(const std::vector<ArrayAxis>& axes);

}  // namespace kvscope
