#include "core/engine/slot_table.h"

#include <algorithm>
#include <cstring>

namespace kvscope {

SlotTable::SlotTable(const Plan& plan, int64_t rows)
    : heads_(plan.geometry().heads),
      slots_of_layer_(rows * plan.geometry().heads),
      shares_regions_(plan.scope() == CountScope::kLayer) {
  const int64_t layers = plan.geometry().layers;
  const auto slots = static_cast<size_t>(layers * slots_of_layer_);
  begins_.reserve(slots);
  capacities_.reserve(slots);
  lengths_.assign(slots, 0);
  layer_begins_.push_back(0);
  for (int64_t layer = 0; layer < layers; ++layer) {
    region_rows_.push_back(plan.layer_capacity(layer));
    for (int64_t row = 0; row < rows; ++row) {
      int64_t begin = row * region_rows_.back();
      for (int64_t head = 0; head < heads_; ++head) {
        begins_.push_back(begin);
        // Before the first eviction all heads hold the same, so equal parts of a shared region do.
        capacities_.push_back(shares_regions_ ? region_rows_.back() / heads_
                                              : plan.capacity(layer, head));
        begin += capacities_.back();
      }
    }
    layer_begins_.push_back(layer_begins_.back() + rows * region_rows_.back());
  }
  origins_.resize(static_cast<size_t>(arena_rows()));
}

int64_t SlotTable::largest_layer_rows() const {
  int64_t largest = 0;
  for (int64_t layer = 0; layer + 1 < std::ssize(layer_begins_); ++layer) {
    largest = std::max(largest, layer_rows(layer));
  }
  return largest;
}

std::span<const TokenOrigin> SlotTable::origins(int64_t layer, size_t slot) const {
  return std::span(origins_).subspan(layer_begins_.at(layer) + begins_.at(slot), lengths_.at(slot));
}

std::span<const int64_t> SlotTable::begins(int64_t layer) const {
  return std::span(begins_).subspan(first_slot(layer), slots_of_layer_);
}

std::span<const int64_t> SlotTable::lengths(int64_t layer) const {
  return std::span(lengths_).subspan(first_slot(layer), slots_of_layer_);
}

std::vector<int64_t> SlotTable::arena_begins() const {
  std::vector<int64_t> begins = begins_;
  for (size_t at = 0; at < begins.size(); ++at) begins[at] += layer_begins_[at / slots_of_layer_];
  return begins;
}

void SlotTable::append(int64_t layer, const StepInfo& step) {
  const int64_t tokens = step.queries();
  for (size_t at = first_slot(layer); at < first_slot(layer + 1); ++at) {
    TokenOrigin* out = origins_.data() + layer_begins_[layer] + begins_[at] + lengths_[at];
    for (int64_t token = 0; token < tokens; ++token) {
      out[token] = {static_cast<int32_t>(step.index), static_cast<int32_t>(token)};
    }
    lengths_[at] += tokens;
  }
  live_tokens_ += slots_of_layer_ * tokens;
}

void SlotTable::keep(int64_t layer, const StepInfo& step, const KeptIndices& kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t at = first_slot(layer) + i;
    TokenOrigin* origins = origins_.data() + layer_begins_[layer] + begins_[at];
    const int64_t held = lengths_[at];
    for (size_t j = 0; j < kept[i].size(); ++j) {
      const int64_t source = kept[i][j];
      origins[j] = source < held ? origins[source]
                                 : TokenOrigin{static_cast<int32_t>(step.index),
                                               static_cast<int32_t>(source - held)};
    }
    lengths_[at] = static_cast<int64_t>(kept[i].size());
    live_tokens_ += lengths_[at] - held;
  }
}

std::vector<SlotTable::Move> SlotTable::share(int64_t layer, const KeptIndices& kept) {
  const auto heads = static_cast<size_t>(heads_);
  TokenOrigin* origins = origins_.data() + layer_begins_[layer];
  std::vector<Move> moves;
  std::vector<int64_t> begins(heads);
  const auto move = [&](size_t slot, int64_t begin) {
    const Move one{.from = begins_[slot], .to = begin, .count = lengths_[slot]};
    begins_[slot] = begin;
    if (one.count == 0) return;
    std::memmove(origins + one.to, origins + one.from, one.count * sizeof(TokenOrigin));
    moves.push_back(one);
  };
  for (size_t first = 0; first < kept.size(); first += heads) {  // of a row
    const size_t first_slot = this->first_slot(layer) + first;
    int64_t left = region_rows_[static_cast<size_t>(layer)];
    for (size_t head = 0; head < heads; ++head) left -= std::ssize(kept[first + head]);
    const int64_t growth = left / heads_;
    int64_t begin = begins_[first_slot];
    for (size_t head = 0; head < heads; ++head) {
      begins[head] = begin;
      capacities_[first_slot + head] = std::ssize(kept[first + head]) + growth;
      begin += capacities_[first_slot + head];
    }
    // Towards the front in ascending order, then towards the back in descending order: no slot is
    // written before what lay there has moved.
    for (size_t head = 0; head < heads; ++head) {
      if (begins[head] < begins_[first_slot + head]) move(first_slot + head, begins[head]);
    }
    for (size_t head = heads; head-- > 0;) {
      if (begins[head] > begins_[first_slot + head]) move(first_slot + head, begins[head]);
    }
  }
  return moves;
}

void SlotTable::clear() {
  std::ranges::fill(lengths_, 0);
  live_tokens_ = 0;
  if (!shares_regions_) return;
  const KeptIndices nothing(static_cast<size_t>(slots_of_layer_));
  for (int64_t layer = 0; layer < std::ssize(region_rows_); ++layer) share(layer, nothing);
}

}  // namespace kvscope
