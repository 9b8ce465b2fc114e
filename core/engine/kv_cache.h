#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/kv_arena.h"
#include "core/engine/plan.h"
#include "core/engine/row_padding.h"
#include "core/engine/slot_table.h"
#include "core/engine/token_origin.h"
#include "kernels/ragged/ragged.h"

namespace kvscope {

/// K and V of every (layer, row, head), each with its own length, in one arena sized by the plan.
/// Nothing is allocated, grown or concatenated after construction. Where the plan fixes only a
/// layer's sum (CountScope::kLayer), the heads of a (layer, row) share one region: an eviction
/// gives each what it keeps and an equal part of the capacity that is left, and moves its
/// neighbours in place.
///
/// Three parts, each of one idea: where the tokens of a slot lie (SlotTable), which of them are
/// padding (RowPadding), and the bytes, in full or packed (KvArena).
///
/// Lifetimes: history(), origins(), keys() and values() are views. They end when the layer is
/// stored to, cleared or, where the plan's format packs tokens (CacheGeometry::format), when
/// another layer is looked at, as one layer at a time is there in full.
class KvCache {
 public:
  /// One arena of plan.arena_bytes(rows) bytes on `device`. Throws Error(kEnvironment) with the
  /// number of bytes when it cannot be had.
  KvCache(Plan plan, int64_t rows, at::Device device);
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] int64_t rows() const { return rows_; }
  /// Tokens held by (layer, row, head).
  [[nodiscard]] int64_t length(int64_t layer, int64_t row, int64_t head) const {
    return table_.length(table_.slot(layer, row, head));
  }
  /// Origins of the tokens held by (layer, row, head), in storage order.
  [[nodiscard]] std::span<const TokenOrigin> origins(int64_t layer,
                                                     int64_t row,
                                                     int64_t head) const {
    return table_.origins(layer, table_.slot(layer, row, head));
  }
  /// Their positions in the generation, padding counted.
  [[nodiscard]] std::vector<int64_t> positions(int64_t layer, int64_t row, int64_t head) const;
  /// The layer's K and V as the attention kernels read them.
  [[nodiscard]] RaggedRows history(int64_t layer) const;
  /// history() without padding: what a query sees.
  [[nodiscard]] RaggedRows visible_history(int64_t layer) const;
  /// The layer's K, or V, of one (row, head): [length, head_dim], a view.
  [[nodiscard]] at::Tensor keys(int64_t layer, int64_t row, int64_t head) const;
  [[nodiscard]] at::Tensor values(int64_t layer, int64_t row, int64_t head) const;

  /// Appends a whole step: `k`, `v` [rows, heads, queries, head_dim].
  void append(int64_t layer, const StepInfo& step, const at::Tensor& k, const at::Tensor& v);
  /// Keeps `kept` of [history | k, v] in place. Throws Error(kAudit) where indices are out of
  /// range, more than the capacity, or neither ascending nor, where the cache does not keep its
  /// order, hole filling.
  void keep(int64_t layer,
            const StepInfo& step,
            const at::Tensor& k,
            const at::Tensor& v,
            const KeptIndices& kept);
  /// append(), or keep() where there are `kept` indices, of every layer [layers]; `k`, `v` [layers,
  /// rows, heads, queries, head_dim]. One call of a kernel moves all of them, except where heads
  /// share regions or a format packs. Throws as both do, before anything is changed.
  void keep_step(const StepInfo& step,
                 const at::Tensor& k,
                 const at::Tensor& v,
                 std::span<const std::optional<KeptIndices>> kept);
  /// Whether stored tokens must stay in the order of their positions: where heads share a region
  /// and move within it, where a format packs neighbours together, and while rows have padding.
  [[nodiscard]] bool keeps_order() const {
    return plan_.scope() == CountScope::kLayer || arena_.is_packed() || has_padding();
  }
  /// Says that the first `tokens[row]` positions of a row are padding: prompts of unequal length
  /// are padded on the left to the prefill's. Padding is stored like any token, so that lengths
  /// stay those of the plan, but no other token sees it. Stored tokens are in the order of their
  /// positions, so the padding of a (row, head) is always the head of its slot: leaving it out
  /// costs nothing. Called before the first step, which must be a prefill with at least one token
  /// that is no padding; clear() forgets it. Throws Error(kAudit) otherwise.
  void set_padding(std::vector<int64_t> tokens);
  /// Whether any row has padding.
  [[nodiscard]] bool has_padding() const { return padding_.any(); }
  /// Padding of `row` in positions of the generation.
  [[nodiscard]] int64_t padding(int64_t row) const { return padding_.of_row(row); }
  /// How many of the tokens held by (layer, row, head) are padding; the first ones.
  [[nodiscard]] int64_t padding_length(int64_t layer, int64_t row, int64_t head) const {
    return padding_.of_slot(table_.slot(layer, row, head));
  }
  /// How many of the current `step`'s tokens are padding of `row`; the first ones.
  [[nodiscard]] int64_t padding_of_step(const StepInfo& step, int64_t row) const {
    return padding_.of_step(step, row);
  }
  /// Forgets all tokens and the padding; the arena stays.
  void clear();

  /// The packed keys and values; null where the format packs nothing.
  [[nodiscard]] const PackedArena* packed_keys() const { return arena_.packed_keys(); }
  [[nodiscard]] const PackedArena* packed_values() const { return arena_.packed_values(); }

  /// Bytes of the tokens held now; the most ever held at once; bytes really allocated, the scratch
  /// of a packed format (Plan::scratch_bytes) with them.
  [[nodiscard]] int64_t live_bytes() const { return arena_.live_bytes(table_); }
  [[nodiscard]] int64_t peak_live_bytes() const { return peak_live_bytes_; }
  [[nodiscard]] int64_t allocated_bytes() const { return arena_.allocated_bytes(); }
  /// Throws Error(kAudit) naming step, layer and head where lengths differ from the plan after
  /// `step`, the live bytes from its prediction, or the allocated bytes from its arena.
  void audit(int64_t step) const;

 private:
  void check_capacity(int64_t layer, const StepInfo& step) const;
  void check_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept) const;
  /// What append() and compact() leave of a layer beside its rows.
  void note_appended(int64_t layer, const StepInfo& step);
  void note_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept);
  void note_peak();
  /// Leaves `kept` of [history | k, v] in every slot of the layer, whose capacity suffices.
  void compact(int64_t layer,
               const StepInfo& step,
               const at::Tensor& k,
               const at::Tensor& v,
               const KeptIndices& kept);
  /// Likewise where heads share regions, whose boundaries move.
  void compact_shared(int64_t layer,
                      const StepInfo& step,
                      const at::Tensor& k,
                      const at::Tensor& v,
                      const KeptIndices& kept);

  Plan plan_;
  int64_t rows_ = 0;
  SlotTable table_;
  RowPadding padding_;
  KvArena arena_;
  int64_t peak_live_bytes_ = 0;
};

}  // namespace kvscope
