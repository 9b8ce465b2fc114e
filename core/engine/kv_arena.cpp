#include "core/engine/kv_arena.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/mebibytes.h"
#include "core/base/out_of_memory.h"
#include "core/engine/arena_memory.h"

namespace kvscope {

KvArena::KvArena(const Plan& plan, const SlotTable& table, int64_t rows, at::Device device)
    : token_bytes_(plan.geometry().token_bytes()) {
  const CacheGeometry& geometry = plan.geometry();
  try {
    const bool packs = geometry.format.is_packed();
    const int64_t held_rows = packs ? table.largest_layer_rows() : table.arena_rows();
    keys_ = allocate_arena(held_rows, geometry.head_dim, geometry.key_type, device);
    values_ = allocate_arena(held_rows, geometry.head_dim, geometry.value_type, device);
    if (packs) {
      const TokenFormat& format = geometry.format;
      packed_.emplace(
          Packed{PackedArena(plan, format.keys, geometry.key_type, "keys", rows, device),
                 PackedArena(plan, format.values, geometry.value_type, "values", rows, device)});
    }
  } catch (const std::exception& error) {
    const std::string said = error.what();  // LibTorch's goes on with a stack trace
    throw OutOfMemory(fmt::format(
        "cache: out of memory: {} bytes ({:.1f} MiB) for {} rows cannot be had on {}: {}. "
        "Ask for fewer images at once (gen.batch) or a smaller budget.",
        plan.arena_bytes(rows), mebibytes(plan.arena_bytes(rows)), rows, device.str(),
        said.substr(0, said.find('\n'))));
  }
}

at::Tensor KvArena::rows_of(const at::Tensor& arena, int64_t layer, const SlotTable& table) const {
  return arena.narrow(0, packed_ ? 0 : table.layer_begin(layer), table.layer_rows(layer));
}

void KvArena::load(int64_t layer, const SlotTable& table) const {
  if (!packed_ || loaded_ == layer) return;
  packed_->keys.load(layer, rows_of(keys_, layer, table), table.begins(layer));
  packed_->values.load(layer, rows_of(values_, layer, table), table.begins(layer));
  loaded_ = layer;
}

at::Tensor KvArena::keys(int64_t layer, const SlotTable& table) const {
  load(layer, table);
  return rows_of(keys_, layer, table);
}

at::Tensor KvArena::values(int64_t layer, const SlotTable& table) const {
  load(layer, table);
  return rows_of(values_, layer, table);
}

void KvArena::move(int64_t layer, const SlotTable& table, std::span<const SlotTable::Move> moves) {
  for (const at::Tensor& arena : {rows_of(keys_, layer, table), rows_of(values_, layer, table)}) {
    for (const SlotTable::Move& move : moves) {
      if (arena.is_cpu()) {
        const auto row_bytes = static_cast<size_t>(arena.size(1)) * arena.element_size();
        auto* data = static_cast<char*>(arena.mutable_data_ptr());
        std::memmove(data + move.to * row_bytes, data + move.from * row_bytes,
                     move.count * row_bytes);
      } else {
        // A copy between ranges that overlap has no order on a device.
        const bool overlap = std::abs(move.to - move.from) < move.count;
        const at::Tensor rows = arena.narrow(0, move.from, move.count);
        arena.narrow(0, move.to, move.count).copy_(overlap ? rows.clone() : rows);
      }
    }
  }
}

void KvArena::pack(int64_t layer,
                   const SlotTable& table,
                   const RowPadding& padding,
                   std::span<const int64_t> held,
                   const KeptIndices* kept) {
  if (!packed_) return;
  std::vector<SlotChange> changes;
  const std::span<const int64_t> lengths = table.lengths(layer);
  changes.reserve(lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    changes.push_back(
        {.held = held[i], .now = lengths[i], .kept = kept == nullptr ? nullptr : &(*kept)[i]});
  }
  const at::Tensor keys = rows_of(keys_, layer, table);
  const at::Tensor values = rows_of(values_, layer, table);
  // Nobody sees padding, but it may lie in one group with tokens that are seen: as one more of them
  // it lends nothing to their scale.
  const size_t end = padding.any() ? table.first_slot(layer + 1) : 0;
  for (size_t at = table.first_slot(layer); at < end; ++at) {
    const int64_t unseen = padding.of_slot(at);
    if (unseen == 0 || unseen == table.length(at)) continue;
    for (const at::Tensor& arena : {keys, values}) {
      const at::Tensor first = arena.narrow(0, table.begin(at) + unseen, 1);
      arena.narrow(0, table.begin(at), unseen).copy_(first.expand({unseen, -1}));
    }
  }
  loaded_ = -1;  // what is packed now is not yet what the scratch holds
  packed_->keys.store(layer, keys, table.begins(layer), changes);
  packed_->values.store(layer, values, table.begins(layer), changes);
}

void KvArena::clear() {
  loaded_ = -1;
  if (!packed_) return;
  packed_->keys.clear();
  packed_->values.clear();
}

int64_t KvArena::live_bytes(const SlotTable& table) const {
  return packed_ ? packed_->keys.live_bytes() + packed_->values.live_bytes()
                 : table.live_tokens() * token_bytes_;
}

int64_t KvArena::allocated_bytes() const {
  const auto dense = static_cast<int64_t>(keys_.storage().nbytes() + values_.storage().nbytes());
  return packed_ ? dense + packed_->keys.allocated_bytes() + packed_->values.allocated_bytes()
                 : dense;
}

}  // namespace kvscope
