#include "core/engine/kv_cache.h"

#include <ATen/Functions.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "kernels/compaction/compaction.h"

namespace kvscope {
namespace {

/// [rows, head_dim], uninitialised. On a CPU LibTorch's allocator ends the process when memory is
/// short, so the memory is taken here, where failing can be said.
at::Tensor allocate_arena(int64_t rows, int64_t head_dim, at::ScalarType type, at::Device device) {
  const auto options = at::TensorOptions().dtype(type).device(device);
  if (!device.is_cpu()) return at::empty({rows, head_dim}, options);
  constexpr size_t kAlignment = 64;
  const size_t bytes = rows * head_dim * c10::elementSize(type);
  const size_t rounded = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return at::from_blob(
      memory, {rows, head_dim}, [](void* data) { std::free(data); }, options);
}

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

}  // namespace

KvCache::KvCache(Plan plan, int64_t rows, at::Device device) : plan_(std::move(plan)), rows_(rows) {
  const CacheGeometry& geometry = plan_.geometry();
  const size_t slots = geometry.layers * rows_ * geometry.heads;
  begins_.reserve(slots);
  rooms_.reserve(slots);
  lengths_.assign(slots, 0);
  int64_t arena_rows = 0;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    std::vector<int64_t> capacities;
    for (int64_t head = 0; head < geometry.heads; ++head) {
      // Before the first cut all heads hold the same, so equal parts of a shared region suffice.
      capacities.push_back(plan_.scope() == CountScope::kHead
                               ? plan_.capacity(layer, head)
                               : plan_.layer_capacity(layer) / geometry.heads);
    }
    for (int64_t row = 0; row < rows_; ++row) {
      int64_t begin = arena_rows;
      for (const int64_t capacity : capacities) {
        begins_.push_back(begin);
        rooms_.push_back(capacity);
        begin += capacity;
      }
      arena_rows += plan_.layer_capacity(layer);
    }
  }
  try {
    keys_ = allocate_arena(arena_rows, geometry.head_dim, geometry.key_type, device);
    values_ = allocate_arena(arena_rows, geometry.head_dim, geometry.value_type, device);
    origins_.resize(arena_rows);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("cache: {} bytes ({:.1f} MiB) for {} rows cannot be had on {}: {}. "
                            "Ask for fewer images at once (gen.batch) or a smaller budget.",
                            plan_.arena_bytes(rows_),
                            static_cast<double>(plan_.arena_bytes(rows_)) / (1024.0 * 1024.0),
                            rows_, device.str(), error.what()));
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
  return std::span(origins_).subspan(begins_.at(at), lengths_.at(at));
}

RaggedRows KvCache::history(int64_t layer) const {
  const size_t first = slot(layer, 0, 0);
  const size_t slots = rows_ * plan_.geometry().heads;
  return {.keys = keys_,
          .values = values_,
          .begin = std::span(begins_).subspan(first, slots),
          .length = std::span(lengths_).subspan(first, slots)};
}

RaggedRows KvCache::visible_history(int64_t layer) const {
  if (!has_padding()) return history(layer);
  const size_t first = slot(layer, 0, 0);
  const size_t slots = rows_ * plan_.geometry().heads;
  return {.keys = keys_,
          .values = values_,
          .begin = std::span(visible_begins_).subspan(first, slots),
          .length = std::span(visible_lengths_).subspan(first, slots)};
}

at::Tensor KvCache::keys(int64_t layer, int64_t row, int64_t head) const {
  const size_t at = slot(layer, row, head);
  return keys_.narrow(0, begins_.at(at), lengths_.at(at));
}

at::Tensor KvCache::values(int64_t layer, int64_t row, int64_t head) const {
  const size_t at = slot(layer, row, head);
  return values_.narrow(0, begins_.at(at), lengths_.at(at));
}

void KvCache::append(int64_t layer,
                     const StepInfo& step,
                     const at::Tensor& k,
                     const at::Tensor& v) {
  const CacheGeometry& geometry = plan_.geometry();
  check_shape("k", k, geometry, rows_, step);
  check_shape("v", v, geometry, rows_, step);
  const int64_t tokens = step.queries();
  for (int64_t row = 0; row < rows_; ++row) {
    for (int64_t head = 0; head < geometry.heads; ++head) {
      const int64_t held = length(layer, row, head);
      const int64_t capacity = rooms_[slot(layer, row, head)];
      if (held + tokens > capacity) {
        throw Error(ErrorKind::kAudit,
                    fmt::format("cache: step {}, layer {}, row {}, head {}: {} cached + {} new "
                                "tokens exceed the planned capacity of {}",
                                step.index, layer, row, head, held, tokens, capacity));
      }
    }
  }
  append_rows(history(layer), k, v);
  for (size_t at = slot(layer, 0, 0); at < slot(layer, rows_, 0); ++at) {
    TokenOrigin* out = origins_.data() + begins_[at] + lengths_[at];
    for (int64_t token = 0; token < tokens; ++token) {
      out[token] = {static_cast<int32_t>(step.index), static_cast<int32_t>(token)};
    }
    lengths_[at] += tokens;
    live_tokens_ += tokens;
    if (has_padding()) {
      const auto row = static_cast<int64_t>(at - slot(layer, 0, 0)) / geometry.heads;
      set_padding_length(at, padding_lengths_[at] + padding_of_step(step, row));
    }
  }
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
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
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
}

void KvCache::compact(int64_t layer,
                      const StepInfo& step,
                      const at::Tensor& k,
                      const at::Tensor& v,
                      const KeptIndices& kept) {
  std::vector<int64_t> kept_begin{0};
  kept_begin.reserve(kept.size() + 1);
  for (const auto& indices : kept) {
    kept_begin.push_back(kept_begin.back() + static_cast<int64_t>(indices.size()));
  }
  std::vector<int64_t> flat;
  flat.reserve(kept_begin.back());
  for (const auto& indices : kept) flat.insert(flat.end(), indices.begin(), indices.end());
  compact_rows(history(layer), k, v, flat, kept_begin);

  for (size_t i = 0; i < kept.size(); ++i) {
    const size_t at = slot(layer, 0, 0) + i;
    TokenOrigin* origins = origins_.data() + begins_[at];
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
      if (begins[head] < begins_[first + head]) move_slot(first + head, begins[head]);
    }
    for (size_t head = heads; head-- > 0;) {
      if (begins[head] > begins_[first + head]) move_slot(first + head, begins[head]);
    }
  }
}

void KvCache::move_slot(size_t slot, int64_t begin) {
  const int64_t from = begins_[slot];
  const int64_t count = lengths_[slot];
  begins_[slot] = begin;
  if (has_padding()) visible_begins_[slot] = begin + padding_lengths_[slot];
  if (count == 0) return;
  for (const at::Tensor& arena : {keys_, values_}) {
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
  std::memmove(origins_.data() + begin, origins_.data() + from, count * sizeof(TokenOrigin));
}

void KvCache::check_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept) const {
  const int64_t heads = plan_.geometry().heads;
  if (std::cmp_not_equal(kept.size(), rows_ * heads)) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: step {}, layer {}: kept indices for {} (row, head) pairs, "
                            "expected {} rows x {} heads = {}",
                            step.index, layer, kept.size(), rows_, heads, rows_ * heads));
  }
  int64_t of_row = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i) / heads;
    const int64_t head = static_cast<int64_t>(i) % heads;
    const auto where = [&] {
      return fmt::format("cache: step {}, layer {}, row {}, head {}", step.index, layer, row, head);
    };
    const int64_t available = length(layer, row, head) + step.queries();
    int64_t previous = -1;
    for (const int64_t index : kept[i]) {
      if (index < 0 || index >= available) {
        throw Error(ErrorKind::kAudit,
                    fmt::format("{}: kept index {} is outside [0, {})", where(), index, available));
      }
      if (index <= previous) {
        throw Error(ErrorKind::kAudit,
                    fmt::format("{}: kept index {} follows {}, expected strictly ascending",
                                where(), index, previous));
      }
      previous = index;
    }
    if (plan_.scope() == CountScope::kHead &&
        std::cmp_greater(kept[i].size(), plan_.capacity(layer, head))) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("{}: {} kept tokens exceed the planned capacity of {}", where(),
                              kept[i].size(), plan_.capacity(layer, head)));
    }
    of_row = head == 0 ? 0 : of_row;
    of_row += static_cast<int64_t>(kept[i].size());
    if (of_row > plan_.layer_capacity(layer)) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("{}: {} kept tokens of its layer so far exceed the planned {}",
                              where(), of_row, plan_.layer_capacity(layer)));
    }
  }
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
  return live_tokens_ * plan_.geometry().token_bytes();
}

int64_t KvCache::allocated_bytes() const {
  return static_cast<int64_t>(keys_.storage().nbytes() + values_.storage().nbytes());
}

void KvCache::audit(int64_t step) const {
  const CacheGeometry& geometry = plan_.geometry();
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    for (int64_t row = 0; row < rows_; ++row) {
      int64_t of_layer = 0;
      for (int64_t head = 0; head < geometry.heads; ++head) {
        const int64_t held = length(layer, row, head);
        of_layer += held;
        if (plan_.scope() == CountScope::kLayer) continue;
        const int64_t planned = plan_.kept(step, layer, head);
        if (held == planned) continue;
        throw Error(
            ErrorKind::kAudit,
            fmt::format("cache: step {}, layer {}, head {} (row {}): {} tokens kept, {} planned",
                        step, layer, head, row, held, planned));
      }
      if (of_layer == plan_.layer_kept(step, layer)) continue;
      throw Error(ErrorKind::kAudit,
                  fmt::format("cache: step {}, layer {} (row {}): {} tokens kept, {} planned", step,
                              layer, row, of_layer, plan_.layer_kept(step, layer)));
    }
  }
  if (live_bytes() != plan_.live_bytes(step, rows_)) {
    throw Error(ErrorKind::kAudit, fmt::format("cache: step {}: {} bytes live, {} planned", step,
                                               live_bytes(), plan_.live_bytes(step, rows_)));
  }
  if (allocated_bytes() != plan_.arena_bytes(rows_)) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: step {}: {} bytes allocated, the plan's arena has {}", step,
                            allocated_bytes(), plan_.arena_bytes(rows_)));
  }
}

}  // namespace kvscope
