#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/slot_table.h"

namespace kvscope {

/// How many of a row's first positions are padding, where that lies in its slots, and what a slot
/// looks like without it. Stored tokens are in the order of their positions, so the padding of a
/// slot is its head, and leaving it out costs nothing. Empty, and free, where no row has any.
class RowPadding {
 public:
  /// From now on the first `tokens[row]` positions of a row are padding; nothing is stored yet.
  void set(std::vector<int64_t> tokens, const SlotTable& table);
  void clear();

  [[nodiscard]] bool any() const { return !of_rows_.empty(); }
  /// Padding of a row in positions of the generation.
  [[nodiscard]] int64_t of_row(int64_t row) const {
    return any() ? of_rows_.at(static_cast<size_t>(row)) : 0;
  }
  /// How many of the tokens held by a slot are padding.
  [[nodiscard]] int64_t of_slot(size_t slot) const { return any() ? of_slots_.at(slot) : 0; }
  /// How many of the step's tokens are padding of the row.
  [[nodiscard]] int64_t of_step(const StepInfo& step, int64_t row) const;

  /// The layer's slots without padding, [rows * heads]; where any() is true.
  [[nodiscard]] std::span<const int64_t> visible_begins(int64_t layer,
                                                        const SlotTable& table) const;
  [[nodiscard]] std::span<const int64_t> visible_lengths(int64_t layer,
                                                         const SlotTable& table) const;

  /// The layer's slots have got the whole step, or are left with `kept` of [history | step]: called
  /// before the table hears of it, and nothing to do where there is no padding.
  void append(int64_t layer, const StepInfo& step, const SlotTable& table);
  void keep(int64_t layer, const StepInfo& step, const KeptIndices& kept, const SlotTable& table);
  /// The table's begins or lengths of the layer are others now.
  void follow(int64_t layer, const SlotTable& table);

 private:
  // Empty, all four, where no row has padding.
  std::vector<int64_t> of_rows_;          // [rows]
  std::vector<int64_t> of_slots_;         // [layers * rows * heads]
  std::vector<int64_t> visible_begins_;   // begins + of_slots_
  std::vector<int64_t> visible_lengths_;  // lengths - of_slots_
};

}  // namespace kvscope
