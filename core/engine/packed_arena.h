#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/plan.h"

namespace kvscope {

/// One (row, head) of a layer whose tokens changed: what it holds now and where that came from.
struct SlotChange {
  int64_t held = 0;  ///< tokens before
  int64_t now = 0;   ///< tokens after
  /// [now] index of each before the change, ascending; at least `held` for a new one. Null: those
  /// before stay, and new ones are behind them.
  const std::vector<int64_t>* kept = nullptr;

  [[nodiscard]] int64_t source(int64_t token) const {
    return kept == nullptr ? token : (*kept)[static_cast<size_t>(token)];
  }
};

/// Keys, or values, of every (layer, row, head) in a SideFormat: packed units and tokens in full in
/// two pools sized by the plan. Which entries of its layer's part of the pools a head owns is a
/// table, so that nothing moves when tokens are dropped: their entries are free for others. Nothing
/// is allocated on the device after construction, but for the indices of what is copied.
///
/// What becomes of packed tokens in an eviction: a unit whose tokens all stay, together and at the
/// begin of a unit, keeps its codes. The tokens of every other unit of keys are packed anew, from
/// their dequantised values, with whatever neighbours they have now; a value's codes stay as they
/// are. Tokens that the shorter head has in full again have their dequantised values. So the bytes
/// of a head are SideFormat::bytes() of its tokens, whatever happened to it.
class PackedArena {
 public:
  /// `name` is "keys" or "values", for messages.
  PackedArena(const Plan& plan,
              const SideFormat& format,
              at::ScalarType type,
              const char* name,
              int64_t rows,
              at::Device device);

  /// Writes the layer's tokens in full into `dense` [arena rows, head_dim]: token j of slot s at
  /// row begin[s] + j; [rows * heads] slots.
  void load(int64_t layer, const at::Tensor& dense, std::span<const int64_t> begin) const;
  /// Takes over what the layer holds now: token j of slot s is row begin[s] + j of `dense`, of
  /// which only what has to be packed or is new in full is read. Throws Error(kNumerics) naming
  /// layer, row and head where a number to be packed is not finite.
  void store(int64_t layer,
             const at::Tensor& dense,
             std::span<const int64_t> begin,
             std::span<const SlotChange> changes);
  void clear();

  [[nodiscard]] int64_t live_bytes() const;
  [[nodiscard]] int64_t allocated_bytes() const;

  /// Packed tokens and tokens in full of a slot, row * heads + head.
  [[nodiscard]] int64_t packed_tokens(int64_t layer, int64_t slot) const;
  [[nodiscard]] int64_t full_tokens(int64_t layer, int64_t slot) const;
  /// The units of a slot, oldest first: codes [units, lanes, words], scale and minimum [units,
  /// lanes, groups]; a unit is as in kernels/quantise/quantise.h.
  struct Units {
    at::Tensor codes;
    at::Tensor scale;
    at::Tensor minimum;
  };
  [[nodiscard]] Units units(int64_t layer, int64_t slot) const;

 private:
  /// Entries of the two pools that a slot owns, oldest first.
  struct Slot {
    std::vector<int64_t> units = {};
    std::vector<int64_t> full = {};
  };
  struct Pool {
    int64_t begin = 0;
    int64_t end = 0;
    std::vector<int64_t> free = {};  // taken from the back
  };
  struct Work;

  [[nodiscard]] Slot& slot(int64_t layer, int64_t slot) {
    return slots_.at(static_cast<size_t>(layer * slots_of_layer_ + slot));
  }
  [[nodiscard]] const Slot& slot(int64_t layer, int64_t slot) const {
    return slots_.at(static_cast<size_t>(layer * slots_of_layer_ + slot));
  }
  /// `dense` as the items that units are made of.
  [[nodiscard]] at::Tensor items(const at::Tensor& dense) const;
  void release(Slot& slot, const SlotChange& change, Pool& units, Pool& full) const;
  void check_finite(int64_t layer, const at::Tensor& finite, const Work& work) const;

  SideFormat format_;
  const char* name_;
  int64_t heads_;
  int64_t slots_of_layer_;
  int64_t head_dim_;
  at::Tensor unit_bytes_;         // [units, bytes of a unit] uint8: codes, scales, minima
  at::Tensor full_;               // [tokens, head_dim]
  at::Tensor codes_;              // views of unit_bytes_: [units, lanes, words] int32
  at::Tensor scale_;              // [units, lanes, groups]
  at::Tensor minimum_;            // likewise
  std::vector<Pool> unit_pools_;  // [layers]
  std::vector<Pool> full_pools_;  // [layers]
  std::vector<Slot> slots_;       // [layers * rows * heads]
  int64_t live_units_ = 0;
  int64_t live_full_ = 0;
};

}  // namespace kvscope
