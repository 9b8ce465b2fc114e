#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kvscope {

/// One entry of a released ScaleKV budget file: what stays before `next_scale` (from 1) runs.
struct ScaleKvBudget {
  int64_t next_scale = 0;
  std::vector<int64_t> drafters;   ///< blocks that hold max_tokens
  int64_t max_tokens = 0;          ///< "Max"
  int64_t min_tokens = 0;          ///< "Min", of all other blocks
  int64_t max_drafter_tokens = 0;  ///< "Limit"; not read by the released code
};

/// A released budget file: 13 scales at 1M pixels, 650 tokens per layer (10 %).
struct ScaleKvTable {
  int64_t layers = 0;
  int64_t base_tokens = 0;  ///< nothing is dropped while the full cache holds at most this many
  std::vector<ScaleKvBudget> budgets;

  /// The entry used after step `step` (from 0), that is before scale `step` + 2; the last entry
  /// where no scale follows, null where the file starts later.
  [[nodiscard]] const ScaleKvBudget* after(int64_t step) const;
};

/// Budget files of github.com/StargazerX0/ScaleKV for Infinity-2B and Infinity-8B.
ScaleKvTable released_2b_table();
ScaleKvTable released_8b_table();

}  // namespace kvscope
