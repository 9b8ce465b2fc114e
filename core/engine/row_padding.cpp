#include "core/engine/row_padding.h"

#include <algorithm>
#include <utility>

namespace kvscope {

void RowPadding::set(std::vector<int64_t> tokens, const SlotTable& table) {
  if (std::ranges::all_of(tokens, [](int64_t count) { return count == 0; })) return;
  of_rows_ = std::move(tokens);
  const auto slots = static_cast<size_t>(table.slots());
  of_slots_.assign(slots, 0);
  visible_begins_.assign(slots, 0);
  visible_lengths_.assign(slots, 0);
  for (int64_t layer = 0; layer * table.slots_of_layer() < table.slots(); ++layer) {
    follow(layer, table);
  }
}

void RowPadding::clear() {
  of_rows_.clear();
  of_slots_.clear();
  visible_begins_.clear();
  visible_lengths_.clear();
}

int64_t RowPadding::of_step(const StepInfo& step, int64_t row) const {
  return std::clamp<int64_t>(of_row(row) - step.first_token, 0, step.queries());
}

std::span<const int64_t> RowPadding::visible_begins(int64_t layer, const SlotTable& table) const {
  return std::span(visible_begins_).subspan(table.first_slot(layer), table.slots_of_layer());
}

std::span<const int64_t> RowPadding::visible_lengths(int64_t layer, const SlotTable& table) const {
  return std::span(visible_lengths_).subspan(table.first_slot(layer), table.slots_of_layer());
}

void RowPadding::append(int64_t layer, const StepInfo& step, const SlotTable& table) {
  if (!any()) return;
  const int64_t heads = table.slots_of_layer() / std::ssize(of_rows_);
  for (int64_t i = 0; i < table.slots_of_layer(); ++i) {
    of_slots_[table.first_slot(layer) + static_cast<size_t>(i)] += of_step(step, i / heads);
  }
}

void RowPadding::keep(int64_t layer,
                      const StepInfo& step,
                      const KeptIndices& kept,
                      const SlotTable& table) {
  if (!any()) return;
  const int64_t heads = table.slots_of_layer() / std::ssize(of_rows_);
  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t at = table.first_slot(layer) + i;
    const int64_t held = table.length(at);
    const int64_t of_history = of_slots_[at];
    const int64_t of_current = of_step(step, static_cast<int64_t>(i) / heads);
    of_slots_[at] = std::ranges::count_if(kept[i], [&](int64_t source) {
      return source < held ? source < of_history : source - held < of_current;
    });
  }
}

void RowPadding::follow(int64_t layer, const SlotTable& table) {
  if (!any()) return;
  for (size_t at = table.first_slot(layer); at < table.first_slot(layer + 1); ++at) {
    visible_begins_[at] = table.begin(at) + of_slots_[at];
    visible_lengths_[at] = table.length(at) - of_slots_[at];
  }
}

}  // namespace kvscope
