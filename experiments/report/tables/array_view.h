#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/attention/named_array.h"

namespace kvscope {

/// What of an array of many axes is shown on two.
struct ArrayViewOptions {
  /// Coordinates of the array ("layer", "step"); empty: chosen. Of those with at most `most_rows`
  /// and `most_columns` different values the last two stand; "head" gives way first.
  std::string rows{};
  std::string columns{};
  std::vector<std::string> at{};  ///< NAME=VALUE: only where a coordinate has this value
  int64_t most_rows = 64;
  int64_t most_columns = 32;
};

/// A matrix of means.
struct ArrayView {
  std::string rows{};     ///< the coordinate that stands down
  std::string columns{};  ///< across; empty: a single column
  std::vector<int64_t> row_values{};
  std::vector<int64_t> column_values{};  ///< {0} where `columns` is empty
  std::vector<double> values{};          ///< [rows][columns]; NaN where the array has nothing
  std::string averaging{};  ///< "mean over head (6), at step = 3"; empty: the array as it is
};

/// Throws Error(kConfig) naming the coordinates there are for others than those, the same for both,
/// and values that nothing has.
ArrayView array_view(const NamedArray& array, const ArrayViewOptions& options);

}  // namespace kvscope
