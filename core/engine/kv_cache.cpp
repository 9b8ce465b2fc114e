#include "core/engine/kv_cache.h"

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.h"
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

KvCache::KvCache(Plan plan, int64_t rows, at::Device device)
    : plan_(std::move(plan)),
      rows_(rows),
      table_(plan_, rows),
      arena_(plan_, table_, rows, device) {}

std::vector<int64_t> KvCache::positions(int64_t layer, int64_t row, int64_t head) const {
  std::vector<int64_t> result;
  for (const TokenOrigin& origin : origins(layer, row, head)) {
    result.push_back(position_of(origin, plan_.geometry().steps));
  }
  return result;
}

RaggedRows KvCache::history(int64_t layer) const {
  return {.keys = arena_.keys(layer, table_),
          .values = arena_.values(layer, table_),
          .begin = table_.begins(layer),
          .length = table_.lengths(layer)};
}

RaggedRows KvCache::visible_history(int64_t layer) const {
  RaggedRows visible = history(layer);
  if (!padding_.any()) return visible;
  visible.begin = padding_.visible_begins(layer, table_);
  visible.length = padding_.visible_lengths(layer, table_);
  return visible;
}

at::Tensor KvCache::keys(int64_t layer, int64_t row, int64_t head) const {
  const size_t at = table_.slot(layer, row, head);
  return arena_.keys(layer, table_).narrow(0, table_.begin(at), table_.length(at));
}

at::Tensor KvCache::values(int64_t layer, int64_t row, int64_t head) const {
  const size_t at = table_.slot(layer, row, head);
  return arena_.values(layer, table_).narrow(0, table_.begin(at), table_.length(at));
}

void KvCache::append(int64_t layer,
                     const StepInfo& step,
                     const at::Tensor& k,
                     const at::Tensor& v) {
  check_shape("k", k, plan_.geometry(), rows_, step);
  check_shape("v", v, plan_.geometry(), rows_, step);
  check_capacity(layer, step);
  const std::span<const int64_t> lengths = table_.lengths(layer);
  const std::vector<int64_t> held(lengths.begin(), lengths.end());
  append_rows(history(layer), k, v);
  note_appended(layer, step);
  arena_.pack(layer, table_, padding_, held, nullptr);
  note_peak();
}

void KvCache::keep(int64_t layer,
                   const StepInfo& step,
                   const at::Tensor& k,
                   const at::Tensor& v,
                   const KeptIndices& kept) {
  check_shape("k", k, plan_.geometry(), rows_, step);
  check_shape("v", v, plan_.geometry(), rows_, step);
  check_kept(layer, step, kept);
  const std::span<const int64_t> lengths = table_.lengths(layer);
  const std::vector<int64_t> held(lengths.begin(), lengths.end());
  if (plan_.scope() == CountScope::kHead) {
    compact(layer, step, k, v, kept);
  } else {
    compact_shared(layer, step, k, v, kept);
  }
  arena_.pack(layer, table_, padding_, held, &kept);
  note_peak();
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

void KvCache::compact_shared(int64_t layer,
                             const StepInfo& step,
                             const at::Tensor& k,
                             const at::Tensor& v,
                             const KeptIndices& kept) {
  // First the history shrinks to the front of each slot, which frees what it takes to move them.
  KeptIndices of_history(kept.size());
  KeptIndices with_current(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    const int64_t held = table_.length(table_.first_slot(layer) + i);
    for (const int64_t index : kept[i]) {
      const auto position = static_cast<int64_t>(with_current[i].size());
      if (index < held) of_history[i].push_back(index);
      const auto left = static_cast<int64_t>(of_history[i].size());
      with_current[i].push_back(index < held ? position : left + index - held);
    }
  }
  compact(layer, step, k, v, of_history);
  const std::vector<SlotTable::Move> moves = table_.share(layer, kept);
  arena_.move(layer, table_, moves);
  padding_.follow(layer, table_);
  compact(layer, step, k, v, with_current);
}

void KvCache::keep_step(const StepInfo& step,
                        const at::Tensor& k,
                        const at::Tensor& v,
                        std::span<const std::optional<KeptIndices>> kept) {
  const int64_t layers = plan_.geometry().layers;
  bool any_evicted = false;
  for (int64_t layer = 0; layer < layers; ++layer) {
    check_shape("k", k[layer], plan_.geometry(), rows_, step);
    check_shape("v", v[layer], plan_.geometry(), rows_, step);
    if (kept[layer]) {
      check_kept(layer, step, *kept[layer]);
      any_evicted = true;
    } else {
      check_capacity(layer, step);
    }
  }
  if (plan_.scope() == CountScope::kLayer || arena_.is_packed()) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      if (kept[layer]) {
        keep(layer, step, k[layer], v[layer], *kept[layer]);
      } else {
        append(layer, step, k[layer], v[layer]);
      }
    }
    return;
  }
  const int64_t layer_slots = table_.slots_of_layer();
  const std::vector<int64_t> begins = table_.arena_begins();
  const RaggedRows all{.keys = arena_.all_keys(),
                       .values = arena_.all_values(),
                       .begin = begins,
                       .length = table_.lengths()};
  const at::Tensor k_rows = k.flatten(0, 1);
  const at::Tensor v_rows = v.flatten(0, 1);
  if (any_evicted) {
    FlatIndices flat;
    for (size_t at = 0; at < begins.size(); ++at) {
      const auto& of_layer = kept[at / layer_slots];
      if (of_layer) {
        flat.add((*of_layer)[at % layer_slots]);
      } else {
        flat.add_first(table_.length(at) + step.queries());
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
  note_peak();
}

void KvCache::note_appended(int64_t layer, const StepInfo& step) {
  padding_.append(layer, step, table_);
  table_.append(layer, step);
  padding_.follow(layer, table_);
}

void KvCache::note_kept(int64_t layer, const StepInfo& step, const KeptIndices& kept) {
  padding_.keep(layer, step, kept, table_);
  table_.keep(layer, step, kept);
  padding_.follow(layer, table_);
}

void KvCache::note_peak() {
  peak_live_bytes_ = std::max(peak_live_bytes_, live_bytes());
}

void KvCache::set_padding(std::vector<int64_t> tokens) {
  const std::vector<StepInfo>& steps = plan_.geometry().steps;
  const int64_t prefill =
      !steps.empty() && steps[0].kind == StepKind::kPrefill ? steps[0].queries() : 0;
  const bool fits = std::cmp_equal(tokens.size(), rows_) && table_.live_tokens() == 0 &&
                    std::all_of(tokens.begin(), tokens.end(), [&](int64_t count) {
                      return count >= 0 && (count == 0 || count < prefill);
                    });
  if (!fits) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: padding [{}] with {} tokens cached; expected {} counts, each "
                            "less than the {} tokens of the prefill, and an empty cache",
                            fmt::join(tokens, ", "), table_.live_tokens(), rows_, prefill));
  }
  padding_.set(std::move(tokens), table_);
}

void KvCache::clear() {
  table_.clear();
  padding_.clear();
  arena_.clear();
}

}  // namespace kvscope
