#include "core/engine/packed_arena.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/engine/arena_memory.h"
#include "kernels/quantise/quantise.h"

namespace kvscope {
namespace {

at::Tensor index_tensor(const std::vector<int64_t>& indices, at::Device device) {
  at::Tensor host = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
  std::copy(indices.begin(), indices.end(), host.mutable_data_ptr<int64_t>());
  return host.to(device);
}

/// to[targets[i]] = from[sources[i]]
void copy_rows(const at::Tensor& from,
               const std::vector<int64_t>& sources,
               const at::Tensor& to,
               const std::vector<int64_t>& targets) {
  if (sources.empty()) return;
  at::Tensor rows = to;
  rows.index_copy_(0, index_tensor(targets, to.device()),
                   from.index_select(0, index_tensor(sources, from.device())));
}

int64_t take(std::vector<int64_t>& free) {
  if (free.empty()) throw Error(ErrorKind::kAudit, "cache: more tokens to pack than planned");
  const int64_t entry = free.back();
  free.pop_back();
  return entry;
}

}  // namespace

/// What store() has to do on the device, gathered over the slots of a layer.
struct PackedArena::Work {
  std::vector<int64_t> unit_rows = {};     // first arena row of a unit to pack
  std::vector<int64_t> unit_targets = {};  // where to
  std::vector<int64_t> unit_slots = {};    // whose it is
  std::vector<int64_t> full_rows = {};
  std::vector<int64_t> full_targets = {};
};

PackedArena::PackedArena(const Plan& plan,
                         const SideFormat& format,
                         at::ScalarType type,
                         const char* name,
                         int64_t rows,
                         at::Device device)
    : format_(format),
      name_(name),
      heads_(plan.geometry().heads),
      slots_of_layer_(rows * plan.geometry().heads),
      head_dim_(plan.geometry().head_dim) {
  const int64_t layers = plan.geometry().layers;
  const int64_t unit_tokens = format_.unit_tokens();
  const auto add_pool = [](std::vector<Pool>& pools, int64_t entries) {
    const int64_t begin = pools.empty() ? 0 : pools.back().end;
    pools.push_back({.begin = begin, .end = begin + entries});
    pools.back().free.reserve(static_cast<size_t>(entries));
  };
  slots_.resize(static_cast<size_t>(layers * slots_of_layer_));
  for (int64_t layer = 0; layer < layers; ++layer) {
    const PoolTokens tokens = plan.pool_tokens(layer, format_);
    add_pool(unit_pools_, rows * tokens.packed / unit_tokens);
    add_pool(full_pools_, rows * tokens.full);
    for (int64_t s = 0; s < slots_of_layer_; ++s) {
      const int64_t most = plan.scope() == CountScope::kHead ? plan.capacity(layer, s % heads_)
                                                             : plan.layer_capacity(layer);
      slot(layer, s).units.reserve(static_cast<size_t>(format_.packed_tokens(most) / unit_tokens));
      slot(layer, s).full.reserve(static_cast<size_t>(format_.max_full_tokens(most)));
    }
  }
  full_ = allocate_arena(full_pools_.back().end, head_dim_, type, device);
  const int64_t units = unit_pools_.back().end;
  unit_bytes_ = allocate_arena(units, format_.is_packed() ? format_.unit_bytes(head_dim_) : 0,
                               at::kByte, device);
  if (units > 0) {
    const bool of_tokens = format_.axis == GroupAxis::kTokens;
    const int64_t lanes = of_tokens ? head_dim_ : 1;
    const int64_t elements = of_tokens ? unit_tokens : head_dim_;
    const int64_t words = code_words(elements, format_.bits);
    const int64_t groups = group_count(elements, format_.group);
    const auto part = [&](int64_t first, int64_t count, at::ScalarType as) {
      const auto size = static_cast<int64_t>(c10::elementSize(as));
      // The lanes of a word, or of a group, side by side: channels are what loops run over.
      return unit_bytes_.narrow(1, first, lanes * count * size)
          .view(as)
          .view({units, count, lanes})
          .transpose(1, 2);
    };
    const int64_t code_bytes = 4 * lanes * words;
    const int64_t scale_bytes =
        lanes * groups * static_cast<int64_t>(c10::elementSize(format_.scale_type));
    codes_ = part(0, words, at::kInt);
    scale_ = part(code_bytes, groups, format_.scale_type);
    minimum_ = part(code_bytes + scale_bytes, groups, format_.scale_type);
  }
  clear();
}

void PackedArena::clear() {
  for (std::vector<Pool>* pools : {&unit_pools_, &full_pools_}) {
    for (Pool& pool : *pools) {
      pool.free.resize(static_cast<size_t>(pool.end - pool.begin));
      std::iota(pool.free.rbegin(), pool.free.rend(), pool.begin);
    }
  }
  for (Slot& slot : slots_) {
    slot.units.clear();
    slot.full.clear();
  }
  live_units_ = 0;
  live_full_ = 0;
}

at::Tensor PackedArena::items(const at::Tensor& dense) const {
  return format_.axis == GroupAxis::kTokens ? dense.unfold(0, format_.unit_tokens(), 1)
                                            : dense.unsqueeze(1);
}

void PackedArena::load(int64_t layer,
                       const at::Tensor& dense,
                       std::span<const int64_t> begin) const {
  std::vector<int64_t> unit_sources, unit_rows, full_sources, full_rows;
  for (int64_t s = 0; s < slots_of_layer_; ++s) {
    const Slot& held = slot(layer, s);
    int64_t row = begin[static_cast<size_t>(s)];
    for (const int64_t unit : held.units) {
      unit_sources.push_back(unit);
      unit_rows.push_back(row);
      row += format_.unit_tokens();
    }
    for (const int64_t token : held.full) {
      full_sources.push_back(token);
      full_rows.push_back(row++);
    }
  }
  if (!unit_sources.empty()) {
    dequantise({.codes = codes_,
                .scale = scale_,
                .minimum = minimum_,
                .bits = format_.bits,
                .group = format_.group},
               unit_sources, items(dense), unit_rows);
  }
  copy_rows(full_, full_sources, dense, full_rows);
}

/// Entries of what does not stay as it is become free; those that stay are left where they are,
/// the others are -1.
void PackedArena::release(Slot& slot, const SlotChange& change, Pool& units, Pool& full) const {
  const int64_t unit_tokens = format_.unit_tokens();
  const int64_t was_packed = format_.packed_tokens(change.held);
  const int64_t packed = format_.packed_tokens(change.now);
  std::vector<int64_t> new_units, new_full;
  for (int64_t token = 0; token < packed; token += unit_tokens) {
    const int64_t first = change.source(token);
    const bool is_whole = first % unit_tokens == 0 && first + unit_tokens <= was_packed &&
                          change.source(token + unit_tokens - 1) == first + unit_tokens - 1;
    int64_t entry = -1;
    if (is_whole) std::swap(entry, slot.units[static_cast<size_t>(first / unit_tokens)]);
    new_units.push_back(entry);
  }
  for (int64_t token = packed; token < change.now; ++token) {
    const int64_t source = change.source(token);
    int64_t entry = -1;
    if (source >= was_packed && source < change.held) {
      std::swap(entry, slot.full[static_cast<size_t>(source - was_packed)]);
    }
    new_full.push_back(entry);
  }
  const auto is_left = [](int64_t entry) { return entry >= 0; };
  std::copy_if(slot.units.begin(), slot.units.end(), std::back_inserter(units.free), is_left);
  std::copy_if(slot.full.begin(), slot.full.end(), std::back_inserter(full.free), is_left);
  slot.units.assign(new_units.begin(), new_units.end());
  slot.full.assign(new_full.begin(), new_full.end());
}

void PackedArena::store(int64_t layer,
                        const at::Tensor& dense,
                        std::span<const int64_t> begin,
                        std::span<const SlotChange> changes) {
  Pool& unit_pool = unit_pools_.at(static_cast<size_t>(layer));
  Pool& full_pool = full_pools_.at(static_cast<size_t>(layer));
  // All slots release before one takes: under CountScope::kLayer one grows by what another loses.
  for (int64_t s = 0; s < slots_of_layer_; ++s) {
    Slot& held = slot(layer, s);
    live_units_ -= static_cast<int64_t>(held.units.size());
    live_full_ -= static_cast<int64_t>(held.full.size());
    release(held, changes[static_cast<size_t>(s)], unit_pool, full_pool);
  }
  Work work;
  for (int64_t s = 0; s < slots_of_layer_; ++s) {
    Slot& held = slot(layer, s);
    int64_t row = begin[static_cast<size_t>(s)];
    for (int64_t& unit : held.units) {
      if (unit < 0) {
        unit = take(unit_pool.free);
        work.unit_rows.push_back(row);
        work.unit_targets.push_back(unit);
        work.unit_slots.push_back(s);
      }
      row += format_.unit_tokens();
    }
    for (int64_t& token : held.full) {
      if (token < 0) {
        token = take(full_pool.free);
        work.full_rows.push_back(row);
        work.full_targets.push_back(token);
      }
      ++row;
    }
    live_units_ += static_cast<int64_t>(held.units.size());
    live_full_ += static_cast<int64_t>(held.full.size());
  }
  copy_rows(dense, work.full_rows, full_, work.full_targets);
  if (work.unit_rows.empty()) return;
  const at::Tensor finite = quantise(items(dense), work.unit_rows,
                                     {.codes = codes_,
                                      .scale = scale_,
                                      .minimum = minimum_,
                                      .bits = format_.bits,
                                      .group = format_.group},
                                     work.unit_targets);
  check_finite(layer, finite, work);
}

void PackedArena::check_finite(int64_t layer, const at::Tensor& finite, const Work& work) const {
  const at::Tensor host = finite.cpu();
  const bool* is_finite = host.const_data_ptr<bool>();
  for (size_t i = 0; i < work.unit_slots.size(); ++i) {
    if (is_finite[i]) continue;
    throw Error(ErrorKind::kNumerics,
                fmt::format("cache: layer {}, row {}, head {}: {} to be packed into {} bits hold "
                            "NaN, infinity or a range beyond their type; expected finite numbers, "
                            "so check the precision of this layer, or store them with "
                            "policy.store=as_is",
                            layer, work.unit_slots[i] / heads_, work.unit_slots[i] % heads_, name_,
                            format_.bits));
  }
}

int64_t PackedArena::live_bytes() const {
  return live_units_ * unit_bytes_.size(1) +
         live_full_ * head_dim_ * static_cast<int64_t>(full_.element_size());
}

int64_t PackedArena::allocated_bytes() const {
  return static_cast<int64_t>(unit_bytes_.storage().nbytes() + full_.storage().nbytes());
}

int64_t PackedArena::packed_tokens(int64_t layer, int64_t slot) const {
  return static_cast<int64_t>(this->slot(layer, slot).units.size()) * format_.unit_tokens();
}

int64_t PackedArena::full_tokens(int64_t layer, int64_t slot) const {
  return static_cast<int64_t>(this->slot(layer, slot).full.size());
}

PackedArena::Units PackedArena::units(int64_t layer, int64_t slot) const {
  if (!codes_.defined()) return {};
  const at::Tensor index = index_tensor(this->slot(layer, slot).units, codes_.device());
  return {.codes = codes_.index_select(0, index),
          .scale = scale_.index_select(0, index),
          .minimum = minimum_.index_select(0, index)};
}

}  // namespace kvscope
