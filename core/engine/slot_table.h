#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/plan.h"
#include "core/engine/token_origin.h"

namespace kvscope {

/// Which of [history | current step] stay, per (row, head), in the order they are stored in:
/// ascending, or as hole_filling() puts them. An index below the history's length names a cached
/// token, one at or above it the current step's token (index - length).
using KeptIndices = std::vector<std::vector<int64_t>>;  // [rows * heads][kept]

/// Where the tokens of every (layer, row, head), a slot, lie in an arena, and which tokens they
/// are. It knows of no bytes: whoever moves a slot's rows is told from where to where.
///
/// Slots of a layer are numbered row * heads + head; begins count rows of the arena within the
/// layer. Where the plan fixes only a layer's sum (CountScope::kLayer), the heads of a (layer, row)
/// share one region, in which share() moves their boundaries.
class SlotTable {
 public:
  /// A slot that lies elsewhere now: `count` arena rows of the layer.
  struct Move {
    int64_t from = 0;
    int64_t to = 0;
    int64_t count = 0;
  };

  SlotTable(const Plan& plan, int64_t rows);

  [[nodiscard]] int64_t slots_of_layer() const { return slots_of_layer_; }
  /// Number of (layer, row, head) among all slots; likewise of a layer's first one.
  [[nodiscard]] size_t slot(int64_t layer, int64_t row, int64_t head) const {
    return static_cast<size_t>(layer * slots_of_layer_ + row * heads_ + head);
  }
  [[nodiscard]] size_t first_slot(int64_t layer) const { return slot(layer, 0, 0); }
  [[nodiscard]] int64_t slots() const { return static_cast<int64_t>(lengths_.size()); }

  /// First arena row of a layer, how many it has, and all rows of all layers.
  [[nodiscard]] int64_t layer_begin(int64_t layer) const { return layer_begins_.at(layer); }
  [[nodiscard]] int64_t layer_rows(int64_t layer) const {
    return layer_begins_.at(layer + 1) - layer_begins_.at(layer);
  }
  [[nodiscard]] int64_t arena_rows() const { return layer_begins_.back(); }
  [[nodiscard]] int64_t largest_layer_rows() const;

  // Of one slot.
  [[nodiscard]] int64_t begin(size_t slot) const { return begins_.at(slot); }
  [[nodiscard]] int64_t length(size_t slot) const { return lengths_.at(slot); }
  /// Arena rows from its begin on.
  [[nodiscard]] int64_t capacity(size_t slot) const { return capacities_.at(slot); }
  /// Origins of its tokens in storage order; a view until the layer changes.
  [[nodiscard]] std::span<const TokenOrigin> origins(int64_t layer, size_t slot) const;

  // Of a layer's slots, [rows * heads]; views that show what the table says at any time.
  [[nodiscard]] std::span<const int64_t> begins(int64_t layer) const;
  [[nodiscard]] std::span<const int64_t> lengths(int64_t layer) const;
  /// Of all slots, begins counted in the arena.
  [[nodiscard]] std::vector<int64_t> arena_begins() const;
  [[nodiscard]] std::span<const int64_t> lengths() const { return lengths_; }

  /// Tokens of all slots.
  [[nodiscard]] int64_t live_tokens() const { return live_tokens_; }

  /// Every slot of the layer has the whole step behind what it held.
  void append(int64_t layer, const StepInfo& step);
  /// Every slot of the layer holds `kept` of [history | step].
  void keep(int64_t layer, const StepInfo& step, const KeptIndices& kept);
  /// Gives each head of the layer's shared regions the capacity for `kept` and an equal part of the
  /// rest. Returns what moved, in an order in which no slot is written before what lay there has
  /// moved.
  std::vector<Move> share(int64_t layer, const KeptIndices& kept);
  /// Forgets all tokens; shared regions are divided equally again.
  void clear();

 private:
  int64_t heads_ = 0;
  int64_t slots_of_layer_ = 0;
  int64_t live_tokens_ = 0;
  bool shares_regions_ = false;
  std::vector<int64_t> region_rows_;   // [layers] arena rows of a (layer, row)
  std::vector<int64_t> layer_begins_;  // [layers + 1] first arena row, and first origin, of a layer
  std::vector<int64_t> begins_;        // [layers * rows * heads] first row within the layer
  std::vector<int64_t> capacities_;    // likewise
  std::vector<int64_t> lengths_;       // likewise
  std::vector<TokenOrigin> origins_;   // [arena rows]
};

}  // namespace kvscope
