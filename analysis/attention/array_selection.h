#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/plan.h"
#include "policies/index_ranges.h"

namespace kvscope {

/// The layers, heads and steps that are recorded.
struct RecordedPart {
  IndexRanges layers = IndexRanges::all();
  IndexRanges heads = IndexRanges::all();
  IndexRanges steps = IndexRanges::all();
};

/// Throws Error(kConfig) where the part names what the model lacks.
void check_part(const RecordedPart& part, const CacheGeometry& geometry);

/// What of an array is of recorded layers, heads and steps: an element stays where every coordinate
/// "layer", "head" and "step" of its place is recorded, and every step from "first_step" to
/// "last_step".
class ArraySelection {
 public:
  ArraySelection(const std::vector<ArrayAxis>& axes, const RecordedPart& part);

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
