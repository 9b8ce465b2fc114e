#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>

#include "core/engine/packed_arena.h"
#include "core/engine/plan.h"
#include "core/engine/row_padding.h"
#include "core/engine/slot_table.h"

namespace kvscope {

/// The bytes of a cache: K and V of all slots of a table, as the plan's format has them. Either one
/// arena in full, or, where the format packs, the packed bytes (PackedArena) and a scratch that
/// holds one layer in full, as packing left it.
class KvArena {
 public:
  /// Throws Error(kEnvironment) with the number of bytes where they cannot be had on `device`.
  KvArena(const Plan& plan, const SlotTable& table, int64_t rows, at::Device device);

  [[nodiscard]] bool is_packed() const { return packed_.has_value(); }
  /// The packed keys and values; null where the format packs nothing.
  [[nodiscard]] const PackedArena* packed_keys() const {
    return packed_ ? &packed_->keys : nullptr;
  }
  [[nodiscard]] const PackedArena* packed_values() const {
    return packed_ ? &packed_->values : nullptr;
  }

  /// The layer's rows in full, [rows of the layer, head_dim], which the table's begins count in:
  /// views, of a scratch where the format packs, and then only until another layer is asked for.
  [[nodiscard]] at::Tensor keys(int64_t layer, const SlotTable& table) const;
  [[nodiscard]] at::Tensor values(int64_t layer, const SlotTable& table) const;
  /// All layers' rows; where nothing is packed.
  [[nodiscard]] const at::Tensor& all_keys() const { return keys_; }
  [[nodiscard]] const at::Tensor& all_values() const { return values_; }

  /// Moves rows of the layer in place, in this order.
  void move(int64_t layer, const SlotTable& table, std::span<const SlotTable::Move> moves);
  /// Packs what the scratch holds of the layer, whose slots had `held` tokens [rows * heads] before
  /// they were left with `kept` of [history | step]; null: with everything. Padding is packed as
  /// repeats of the first token behind it, so that it widens no scale. Nothing to do where the
  /// format does not pack.
  void pack(int64_t layer,
            const SlotTable& table,
            const RowPadding& padding,
            std::span<const int64_t> held,
            const KeptIndices* kept);
  void clear();

  /// Bytes of what `table` holds; bytes really allocated.
  [[nodiscard]] int64_t live_bytes(const SlotTable& table) const;
  [[nodiscard]] int64_t allocated_bytes() const;

 private:
  struct Packed {
    PackedArena keys;
    PackedArena values;
  };

  /// The layer's rows of keys_ or values_.
  [[nodiscard]] at::Tensor rows_of(const at::Tensor& arena,
                                   int64_t layer,
                                   const SlotTable& table) const;
  /// Makes the scratch hold the layer; nothing to do where it does, or nothing is packed.
  void load(int64_t layer, const SlotTable& table) const;

  at::Tensor keys_;               // [arena rows, head_dim] key_type; or the scratch of one layer
  at::Tensor values_;             // likewise value_type
  std::optional<Packed> packed_;  // where the format packs
  mutable int64_t loaded_ = -1;   // layer that the scratch holds
  int64_t token_bytes_ = 0;       // in full
};

}  // namespace kvscope
