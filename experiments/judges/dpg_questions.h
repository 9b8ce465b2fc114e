#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// A question of DPG-Bench about a picture.
struct DpgQuestion {
  std::string text{};
  int64_t id = 0;                  ///< proposition_id
  std::vector<int64_t> parents{};  ///< ids; a question whose parent is answered no counts as no
  std::string broad{};             ///< L1, "relation"
  std::string detailed{};          ///< L2, "relation - spatial"
};

struct DpgItem {
  std::string key{};  ///< item_id, the stem of the picture
  std::string text{};
  std::vector<DpgQuestion> questions{};
};

/// The items of dpg_bench.csv, in the file's order. Throws Error(kInput) "file:line: ..." for what
/// is no such table, an id that is no number, or rows of an item that are apart.
std::vector<DpgItem> read_dpg_items(const std::string& text, const std::string& origin);

/// Of a picture: the answers [tile][question]; none where it was not asked.
using DpgAnswers = std::vector<std::vector<std::optional<std::string>>>;

/// Per question 1 or 0: `answers` of one tile, only "yes" exactly is yes. An unasked one is 0.
std::vector<double> dpg_raw_values(const std::vector<std::optional<std::string>>& answers);

/// In the order of rows, a question with a parent that is 0 by then becomes 0: a parent that comes
/// later in the file still has its own answer. `from` leaves out the questions before it. Returns
/// none where a parent is not among the questions, which the judge stops at.
std::optional<std::vector<double>> dpg_values_after_dependency(const DpgItem& item,
                                                               std::vector<double> values,
                                                               size_t from);

}  // namespace kvscope
