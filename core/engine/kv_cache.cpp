#include "core/engine/kv_cache.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/engine/arena_memory.h"
#include "kernels/compaction/compaction.h"

namespace kvscope {
namespace {

void check_shape(const char* name,
                 const at::Tensor& tensor,
                 const CacheGeometry& geometry,
                 int64_t rows,
                 const StepInfo& step) {
  const std::vector<int64_t> expected{rows, geometry.heads, step.queries(), geometry.head_dim};
  if (tensor.sizes() == at::IntArrayRef(expected)) return;
  throw Error(
      ErrorKind::kAudit,
      fmt::format("cache: step {}: {} has shape [{}], expected [rows, heads, queries, "
                  "head_dim] = [{}]",
                  step.index, name, fmt::join(tensor.sizes(), ", "), fmt::join(expected, ", ")));
}

/// Index lists of many slots, one behind the other, as compact_rows() takes them.
struct FlatIndices {
  std::vector<int64_t> indices;
  std::vector<int64_t> begin{0};

  void add(const std::vector<int64_t>& of_slot) {
    indices.insert(indices.end(), of_slot.begin(), of_slot.end());
    begin.push_back(std::ssize(indices));
  }
  /// 0 .. count - 1
  void add_first(int64_t count) {
    indices.resize(indices.size() + static_cast<size_t>(count));
    std::iota(indices.end() - count, indices.end(), 0);
    begin.push_back(std::ssize(indices));
  }
};

}  // namespace

KvCache::KvCache(Plan plan, int64_t rows, at::Device device) : plan_(std::move(plan)), rows_(rows) {
  const CacheGeometry& geometry = plan_.geometry();
  const size_t slots = geometry.layers * rows_ * geometry.heads;
  begins_.reserve(slots);
  rooms_.reserve(slots);
  lengths_.assign(slots, 0);
  int64_t arena_rows = 0;
  int64_t largest_layer = 0;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    std::vector<int64_t> capacities;
    for (int64_t head = 0; head < geometry.heads; ++head) {
      // Before the first cut all heads hold the same, so equal parts of a shared region suffice.
      capacities.push_back(plan_.scope() == CountScope::kHead
                               ? plan_.capacity(layer, head)
                               : plan_.layer_capacity(layer) / geometry.heads);
    }
    layer_begins_.push_back(arena_rows);
    for (int64_t row = 0; row < rows_; ++row) {
      int64_t begin = row * plan_.layer_capacity(layer);
      for (const int64_t capacity : capacities) {
        begins_.push_back(begin);
        rooms_.push_back(capacity);
        begin += capacity;
      }
    }
    arena_rows += rows_ * plan_.layer_capacity(layer);
    largest_layer = std::max(largest_layer, rows_ * plan_.layer_capacity(layer));
  }
  try {
    const bool packs = geometry.format.is_packed();
    const int64_t held_rows = packs ? largest_layer : arena_rows;
    keys_ = allocate_arena(held_rows, geometry.head_dim, geometry.key_type, device);
    values_ = allocate_arena(held_rows, geometry.head_dim, geometry.value_type, device);
    origins_.resize(arena_rows);
    if (packs) {
      const TokenFormat& format = geometry.format;
      packed_.emplace(
          Packed{PackedArena(plan_, format.keys, geometry.key_type, "keys", rows_, device),
                 PackedArena(plan_, format.values, geometry.value_type, "values", rows_, device)});
    }
  } catch (const std::exception& error) {
    const std::string said = error.what();  // LibTorch's goes on with a stack trace
    throw Error(
        ErrorKind::kEnvironment,
        fmt::format(
            "cache: out of memory: {} bytes ({:.1f} MiB) for {} rows cannot be had on {}: {}. "
            "Ask for fewer images at once (gen.batch) or a smaller budget.",
            plan_.arena_bytes(rows_),
            static_cast<double>(plan_.arena_bytes(rows_)) / (1024.0 * 1024.0), rows_, device.str(),
            said.substr(0, said.find('\n'))));
  }
}

size_t KvCache::slot(int64_t layer, int64_t row, int64_t head) const {
  return (layer * rows_ + row) * plan_.geometry().heads + head;
}

int64_t KvCache::length(int64_t layer, int64_t row, int64_t head) const {
  return lengths_.at(slot(layer, row, head));
}

std::span<const TokenOrigin> KvCache::origins(int64_t layer, int64_t row, int64_t head) const {
  const size_t at = slot(layer, row, head);
  return std::span(origins_).subspan(layer_begins_.at(layer) + begins_.at(at), lengths_.at(at));
}

std::vector<int64_t> KvCache::positions(int64_t layer, int64_t row, int64_t head) const {
  std::vector<int64_t> result;
  for (const TokenOrigin& origin : origins(layer, row, head)) {
    result.push_back(position_of(origin, plan_.geometry().steps));
  }
  return result;
}

at::Tensor KvCache::layer_rows(const at::Tensor& arena, int64_t layer) const {
  return arena.narrow(0, packed_ ? 0 : layer_begins_.at(layer),
                      rows_ * plan_.layer_capacity(layer));
}

std::span<const int64_t> KvCache::of_layer(const std::vector<int64_t>& slots, int64_t layer) const {
  return std::span(slots).subspan(slot(layer, 0, 0), rows_ * plan_.geometry().heads);
}

void KvCache::load(int64_t layer) const {
  if (!packed_ || loaded_ == layer) return;
  const std::span<const int64_t> begins = of_layer(begins_, layer);
  packed_->keys.load(layer, layer_rows(keys_, layer), begins);
  packed_->values.load(layer, layer_rows(values_, layer), begins);
  loaded_ = layer;
}

void KvCache::pack(int64_t layer, std::span<const int64_t> held, const KeptIndices* kept) {
  if (!packed_) return;
  std::vector<SlotChange> changes;
  const std::span<const int64_t> lengths = of_layer(lengths_, layer);
  changes.reserve(lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    changes.push_back(
        {.held = held[i], .now = lengths[i], .kept = kept == nullptr ? nullptr : &(*kept)[i]});
  }
  // Nobody sees padding, but it may lie in one group with tokens that are seen: as one more of them
  // it lends nothing to their scale.
  for (size_t at = slot(layer, 0, 0); has_padding() && at < slot(layer, rows_, 0); ++at) {
    const int64_t padding = padding_lengths_[at];
    if (padding == 0 || padding == lengths_[at]) continue;
    for (const at::Tensor& arena : {layer_rows(keys_, layer), layer_rows(values_, layer)}) {
      const at::Tensor first = arena.narrow(0, begins_[at] + padding, 1);
      arena.narrow(0, begins_[at], padding).copy_(first.expand({padding, -1}));
    }
  }
  loaded_ = -1;  // what is packed now is not yet what the scratch holds
  const std::span<const int64_t> begins = of_layer(begins_, layer);
  packed_->keys.store(layer, layer_rows(keys_, layer), begins, changes);
  packed_->values.store(layer, layer_rows(values_, layer), begins, changes);
}

RaggedRows KvCache::history(int64_t layer) const {
  load(layer);
  return {.keys = layer_rows(keys_, layer),
          .values = layer_rows(values_, layer),
          .begin = of_layer(begins_, layer),
          .length = of_layer(lengths_, layer)};
}

RaggedRows KvCache::visible_history(int64_t layer) const {
  if (!has_padding()) return history(layer);
  load(layer);
  return {.keys = layer_rows(keys_, layer),
          .values = layer_rows(values_, layer),
          .begin = of_layer(visible_begins_, layer),
          .length = of_layer(visible_lengths_, layer)};
}

at::Tensor KvCache::keys(int64_t layer, int64_t row, int64_t head) const {
  load(layer);
  const size_t at = slot(layer, row, head);
  return layer_rows(keys_, layer).narrow(0, begins_.at(at), lengths_.at(at));
}

at::Tensor KvCache::values(int64_t layer, int64_t row, int64_t head) const {
  load(layer);
  const size_t at = slot(layer, row, head);
  return layer_rows(values_, layer).narrow(0, begins_.at(at), lengths_.at(at));
}

void KvCache::append(int64_t layer,
                     const StepInfo& step,
                     const at::Tensor& k,
                     const at::Tensor& v) {
  const CacheGeometry& geometry = plan_.geometry();
  check_shape("k", k, geometry, rows_, step);
  check_shape("v", v, geometry, rows_, step);
  check_room(layer, step);
  const std::span<const int64_t> lengths = of_layer(lengths_, layer);
  const std::vector<int64_t> held(lengths.begin(), lengths.end());
  append_rows(history(layer), k, v);
  note_appended(layer, step);
  pack(layer, held, nullptr);
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
}

void KvCache::note_appended(int64_t layer, const StepInfo& step) {
  const int64_t tokens = step.queries();
  for (size_t at = slot(layer, 0, 0); at < slot(layer, rows_, 0); ++at) {
    TokenOrigin* out = origins_.data() + layer_begins_[layer] + begins_[at] + lengths_[at];
    for (int64_t token = 0; token < tokens; ++token) {
      out[token] = {static_cast<int32_t>(step.index), static_cast<int32_t>(token)};
    }
    lengths_[at] += tokens;
    live_tokens_ += tokens;
    if (has_padding()) {
      const auto row = static_cast<int64_t>(at - slot(layer, 0, 0)) / plan_.geometry().heads;
      set_padding_length(at, padding_lengths_[at] + padding_of_step(step, row));
    }
  }
}

void KvCache::keep(int64_t layer,
                   const StepInfo& step,
                   const at::Tensor& k,
                   const at::Tensor& v,
                   const KeptIndices& kept) {
  const CacheGeometry& geometry = plan_.geometry();
  check_shape("k", k, geometry, rows_, step);
  check_shape("v", v, geometry, rows_, step);
  check_kept(layer, step, kept);
  load(layer);
  const std::span<const int64_t> lengths = of_layer(lengths_, layer);
  const std::vector<int64_t> was_held(lengths.begin(), lengths.end());

  if (plan_.scope() == CountScope::kHead) {
    compact(layer, step, k, v, kept);
  } else {
    // First the history shrinks to the front of each slot, which frees the room to move the slots.
    KeptIndices of_history(kept.size());
    KeptIndices with_current(kept.size());
    for (size_t i = 0; i < kept.size(); ++i) {
      const int64_t held = lengths_[slot(layer, 0, 0) + i];
      for (const int64_t index : kept[i]) {
        const auto position = static_cast<int64_t>(with_current[i].size());
        if (index < held) of_history[i].push_back(index);
        const auto left = static_cast<int64_t>(of_history[i].size());
        with_current[i].push_back(index < held ? position : left + index - held);
      }
    }
    compact(layer, step, k, v, of_history);
    share_regions(layer, kept);
    compact(layer, step, k, v, with_current);
  }
  pack(layer, was_held, &kept);
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
}

void KvCache::compact(int64_t layer,
                      const StepInfo& step,
                      const at::Tensor& k,
                      const at::Tensor& v,
                      const KeptIndices& kept) {
  FlatIndices flat;
  for (const auto& indices : kept) flat.add(indices);
  compact_rows(history(layer), k, v, flat.indices, flat.begin);
  note_kept(layer, step, kept);
}

void KvCache::keep_step(const StepInfo& step,
                        const at::Tensor& k,
                        const at::Tensor& v,
                        std::span<const std::optional<KeptIndices>> kept) {
  const int64_t layers = plan_.geometry().layers;
  bool any_cut = false;
  for (int64_t layer = 0; layer < layers; ++layer) {
    check_shape("k", k[layer], plan_.geometry(), rows_, step);
    check_shape("v", v[layer], plan_.geometry(), rows_, step);
    if (kept[layer]) {
      check_kept(layer, step, *kept[layer]);
      any_cut = true;
    } else {
      check_room(layer, step);
    }
  }
  if (plan_.scope() == CountScope::kLayer || packed_) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      if (kept[layer]) {
        keep(layer, step, k[layer], v[layer], *kept[layer]);
      } else {
        append(layer, step, k[layer], v[layer]);
      }
    }
    return;
  }
  const int64_t layer_slots = rows_ * plan_.geometry().heads;
  std::vector<int64_t> begins = begins_;
  for (size_t at = 0; at < begins.size(); ++at) begins[at] += layer_begins_[at / layer_slots];
  const RaggedRows all{.keys = keys_, .values = values_, .begin = begins, .length = lengths_};
  const at::Tensor k_rows = k.flatten(0, 1);
  const at::Tensor v_rows = v.flatten(0, 1);
  if (any_cut) {
    FlatIndices flat;
    for (size_t at = 0; at < begins.size(); ++at) {
      const auto& of_layer = kept[at / layer_slots];
      if (of_layer) {
        flat.add((*of_layer)[at % layer_slots]);
      } else {
        flat.add_first(lengths_[at] + step.queries());
      }
    }
    compact_rows(all, k_rows, v_rows, flat.indices, flat.begin);
  } else {
    append_rows(all, k_rows, v_rows);
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    if (kept[layer]) {
      note_kept(layer, step, *kept[layer]);
    } else {
      note_appended(layer, step);
    }
  }
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
}

void KvCache::note_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept) {
  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t at = slot(layer, 0, 0) + i;
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
    if (has_padding()) {
      const int64_t old_padding = padding_lengths_[at];
      const int64_t new_padding =
          padding_of_step(step, static_cast<int64_t>(i) / plan_.geometry().heads);
      const auto is_padding = [&](int64_t source) {
        return source < held ? source < old_padding : source - held < new_padding;
      };
      set_padding_length(at, std::count_if(kept[i].begin(), kept[i].end(), is_padding));
    }
  }
}

void KvCache::share_regions(int64_t layer, const KeptIndices& kept) {
  const auto heads = static_cast<size_t>(plan_.geometry().heads);
  for (int64_t row = 0; row < rows_; ++row) {
    const size_t first = slot(layer, row, 0);
    const std::span<const std::vector<int64_t>> of_row =
        std::span(kept).subspan(static_cast<size_t>(row) * heads, heads);
    int64_t left = plan_.layer_capacity(layer);
    for (const auto& indices : of_row) left -= static_cast<int64_t>(indices.size());
    const int64_t growth = left / static_cast<int64_t>(heads);
    std::vector<int64_t> begins(heads);
    int64_t begin = begins_[first];
    for (size_t head = 0; head < heads; ++head) {
      begins[head] = begin;
      rooms_[first + head] = static_cast<int64_t>(of_row[head].size()) + growth;
      begin += rooms_[first + head];
    }
    // Towards the front in ascending order, then towards the back in descending order: no slot is
    // written before what lay there has moved.
    for (size_t head = 0; head < heads; ++head) {
      if (begins[head] < begins_[first + head]) move_slot(layer, first + head, begins[head]);
    }
    for (size_t head = heads; head-- > 0;) {
      if (begins[head] > begins_[first + head]) move_slot(layer, first + head, begins[head]);
    }
  }
}

void KvCache::move_slot(int64_t layer, size_t slot, int64_t begin) {
  const int64_t from = begins_[slot];
  const int64_t count = lengths_[slot];
  begins_[slot] = begin;
  if (has_padding()) visible_begins_[slot] = begin + padding_lengths_[slot];
  if (count == 0) return;
  for (const at::Tensor& arena : {layer_rows(keys_, layer), layer_rows(values_, layer)}) {
    if (arena.is_cpu()) {
      const auto row_bytes = static_cast<size_t>(arena.size(1)) * arena.element_size();
      auto* data = static_cast<char*>(arena.mutable_data_ptr());
      std::memmove(data + begin * row_bytes, data + from * row_bytes, count * row_bytes);
    } else {
      // A copy between ranges that overlap has no order on a device.
      const bool overlap = std::abs(begin - from) < count;
      const at::Tensor rows = arena.narrow(0, from, count);
      arena.narrow(0, begin, count).copy_(overlap ? rows.clone() : rows);
    }
  }
  TokenOrigin* origins = origins_.data() + layer_begins_[layer];
  std::memmove(origins + begin, origins + from, count * sizeof(TokenOrigin));
}

void KvCache::set_padding(std::vector<int64_t> tokens) {
  const std::vector<StepInfo>& steps = plan_.geometry().steps;
  const int64_t prefill =
      !steps.empty() && steps[0].kind == StepKind::kPrefill ? steps[0].queries() : 0;
  const bool fits = std::cmp_equal(tokens.size(), rows_) && live_tokens_ == 0 &&
                    std::all_of(tokens.begin(), tokens.end(), [&](int64_t count) {
                      return count >= 0 && (count == 0 || count < prefill);
                    });
  if (!fits) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: padding [{}] with {} tokens cached; expected {} counts, each "
                            "less than the {} tokens of the prefill, and an empty cache",
                            fmt::join(tokens, ", "), live_tokens_, rows_, prefill));
  }
  if (std::all_of(tokens.begin(), tokens.end(), [](int64_t count) { return count == 0; })) return;
  padding_ = std::move(tokens);
  padding_lengths_.assign(lengths_.size(), 0);
  visible_begins_ = begins_;
  visible_lengths_ = lengths_;
}

int64_t KvCache::padding(int64_t row) const {
  return has_padding() ? padding_.at(static_cast<size_t>(row)) : 0;
}

int64_t KvCache::padding_length(int64_t layer, int64_t row, int64_t head) const {
  return has_padding() ? padding_lengths_.at(slot(layer, row, head)) : 0;
}

int64_t KvCache::padding_of_step(const StepInfo& step, int64_t row) const {
  return std::clamp<int64_t>(padding(row) - step.first_token, 0, step.queries());
}

void KvCache::set_padding_length(size_t slot, int64_t tokens) {
  padding_lengths_[slot] = tokens;
  visible_begins_[slot] = begins_[slot] + tokens;
  visible_lengths_[slot] = lengths_[slot] - tokens;
}

void KvCache::clear() {
  std::fill(lengths_.begin(), lengths_.end(), 0);
  live_tokens_ = 0;
  loaded_ = -1;
  if (packed_) {
    packed_->keys.clear();
    packed_->values.clear();
  }
  if (plan_.scope() == CountScope::kLayer) {
    const KeptIndices nothing(static_cast<size_t>(rows_ * plan_.geometry().heads));
    for (int64_t layer = 0; layer < plan_.geometry().layers; ++layer) {
      share_regions(layer, nothing);
    }
  }
  padding_.clear();
  padding_lengths_.clear();
  visible_begins_.clear();
  visible_lengths_.clear();
}

int64_t KvCache::live_bytes() const {
  return packed_ ? packed_->keys.live_bytes() + packed_->values.live_bytes()
                 : live_tokens_ * plan_.geometry().token_bytes();
}

int64_t KvCache::allocated_bytes() const {
  const auto dense = static_cast<int64_t>(keys_.storage().nbytes() + values_.storage().nbytes());
  return packed_ ? dense + packed_->keys.allocated_bytes() + packed_->values.allocated_bytes()
                 : dense;
}

}  // namespace kvscope
