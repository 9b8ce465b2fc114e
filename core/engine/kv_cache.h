#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/packed_arena.h"
#include "core/engine/plan.h"
#include "core/engine/token_origin.h"
#include "kernels/ragged/ragged.h"

namespace kvscope {

/// Which of [history | current step] stay, per (row, head), in the order they are stored in:
/// ascending, or as hole_filling() puts them. An index below the history's length names a cached
/// token, one at or above it the current step's token (index - length).
using KeptIndices = std::vector<std::vector<int64_t>>;  // [rows * heads][kept]

/// K and V of every (layer, row, head), each with its own length, in one arena sized by the plan.
/// Nothing is allocated, grown or concatenated after construction. Where the plan fixes only a
/// layer's sum (CountScope::kLayer), the heads of a (layer, row) share one region: a cut gives each
/// what it keeps and an equal part of the room that is left, and moves its neighbours in place.
///
/// Where the plan's format packs tokens (CacheGeometry::format), what is stored is the packed bytes
/// (PackedArena), and history(), keys() and values() are views of a scratch that holds one layer in
/// full, as packing left it: valid until another layer is looked at. Padding is packed as repeats
/// of the first token behind it, so that it widens no scale.
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
  [[nodiscard]] int64_t length(int64_t layer, int64_t row, int64_t head) const;
  /// Origins of the tokens held by (layer, row, head), in storage order.
  [[nodiscard]] std::span<const TokenOrigin> origins(int64_t layer,
                                                     int64_t row,
                                                     int64_t head) const;
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
    return plan_.scope() == CountScope::kLayer || packed_.has_value() || has_padding();
  }
  /// Says that the first `tokens[row]` positions of a row are padding: prompts of unequal length
  /// are padded on the left to the prefill's. Padding is stored like any token, so that lengths
  /// stay those of the plan, but no other token sees it. Stored tokens are in the order of their
  /// positions, so the padding of a (row, head) is always the head of its slot: leaving it out
  /// costs nothing. Called before the first step, which must be a prefill with at least one token
  /// that is no padding; clear() forgets it. Throws Error(kAudit) otherwise.
  void set_padding(std::vector<int64_t> tokens);
  /// Whether any row has padding.
  [[nodiscard]] bool has_padding() const { return !padding_.empty(); }
  /// Padding of `row` in positions of the generation.
  [[nodiscard]] int64_t padding(int64_t row) const;
  /// How many of the tokens held by (layer, row, head) are padding; the first ones.
  [[nodiscard]] int64_t padding_length(int64_t layer, int64_t row, int64_t head) const;
  /// How many of the current `step`'s tokens are padding of `row`; the first ones.
  [[nodiscard]] int64_t padding_of_step(const StepInfo& step, int64_t row) const;
  /// Forgets all tokens and the padding; the arena stays.
  void clear();

  /// The packed keys and values; null where the format packs nothing.
  [[nodiscard]] const PackedArena* packed_keys() const {
    return packed_ ? &packed_->keys : nullptr;
  }
  [[nodiscard]] const PackedArena* packed_values() const {
    return packed_ ? &packed_->values : nullptr;
  }

  /// Bytes of the tokens held now; the most ever held at once; bytes really allocated, the scratch
  /// of a packed format (Plan::scratch_bytes) with them.
  [[nodiscard]] int64_t live_bytes() const;
  [[nodiscard]] int64_t peak_live_bytes() const { return peak_live_bytes_; }
  [[nodiscard]] int64_t allocated_bytes() const;
  /// Throws Error(kAudit) naming step, layer and head where lengths differ from the plan after
  /// `step`, the live bytes from its prediction, or the allocated bytes from its arena.
  void audit(int64_t step) const;

 private:
  struct Packed {
    PackedArena keys;
    PackedArena values;
  };

  [[nodiscard]] size_t slot(int64_t layer, int64_t row, int64_t head) const;
  void check_room(int64_t layer, const StepInfo& step) const;
  void check_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept) const;
  /// What append() and compact() leave of a layer beside its rows.
  void note_appended(int64_t layer, const StepInfo& step);
  void note_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept);
  /// Leaves `kept` of [history | k, v] in every slot of the layer, whose room suffices.
  void compact(int64_t layer,
               const StepInfo& step,
               const at::Tensor& k,
               const at::Tensor& v,
               const KeptIndices& kept);
  /// Gives each head of the layer's shared regions room for `kept` and an equal part of the rest.
  void share_regions(int64_t layer, const KeptIndices& kept);
  void move_slot(int64_t layer, size_t slot, int64_t begin);
  void set_padding_length(size_t slot, int64_t tokens);

  /// The layer's rows of an arena, which begins_ count in.
  [[nodiscard]] at::Tensor layer_rows(const at::Tensor& arena, int64_t layer) const;
  [[nodiscard]] std::span<const int64_t> of_layer(const std::vector<int64_t>& slots,
                                                  int64_t layer) const;
  /// Makes the scratch hold the layer; nothing to do where it does, or nothing is packed.
  void load(int64_t layer) const;
  /// Packs what the scratch holds of the layer, of which `held` tokens [rows * heads] were there.
  void pack(int64_t layer, std::span<const int64_t> held, const KeptIndices* kept);

  Plan plan_;
  int64_t rows_ = 0;
  at::Tensor keys_;               // [arena rows, head_dim] key_type; or the scratch of one layer
  at::Tensor values_;             // likewise value_type
  std::optional<Packed> packed_;  // where the format packs
  mutable int64_t loaded_ = -1;   // layer that the scratch holds
  std::vector<int64_t> layer_begins_;  // [layers] first arena row, and first origin, of a layer
  std::vector<int64_t> begins_;        // [layers * rows * heads] first row within the layer
  std::vector<int64_t> rooms_;         // [layers * rows * heads] arena rows from there
  std::vector<int64_t> lengths_;       // [layers * rows * heads]
  std::vector<TokenOrigin> origins_;   // [arena rows]
  // Empty, all four, where no row has padding.
  std::vector<int64_t> padding_;          // [rows]
  std::vector<int64_t> padding_lengths_;  // [layers * rows * heads]
  std::vector<int64_t> visible_begins_;   // begins_ + padding_lengths_
  std::vector<int64_t> visible_lengths_;  // lengths_ - padding_lengths_
  int64_t live_tokens_ = 0;
  int64_t peak_live_bytes_ = 0;
};

}  // namespace kvscope
