#include "core/engine/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

void check_extents(const CacheGeometry& geometry, const StepCounts& kept) {
  if (geometry.layers < 1 || geometry.heads < 1 || geometry.head_dim < 1) {
    throw Error(ErrorKind::kAudit,
                fmt::format("plan: geometry of {} layers, {} heads, head_dim {}: each must be at "
                            "least 1",
                            geometry.layers, geometry.heads, geometry.head_dim));
  }
  if (geometry.query_heads < geometry.heads || geometry.query_heads % geometry.heads != 0) {
    throw Error(ErrorKind::kAudit,
                fmt::format("plan: geometry of {} query heads for {} key/value heads: expected a "
                            "multiple of them",
                            geometry.query_heads, geometry.heads));
  }
  if (kept.size() != geometry.steps.size()) {
    throw Error(ErrorKind::kAudit, fmt::format("plan: counts for {} steps, the generation has {}",
                                               kept.size(), geometry.steps.size()));
  }
  for (size_t step = 0; step < kept.size(); ++step) {
    if (kept[step].layers() != geometry.layers || kept[step].heads() != geometry.heads) {
      throw Error(ErrorKind::kAudit,
                  fmt::format("plan: step {}: counts for {} layers of {} heads, the model has {} "
                              "of {}",
                              step, kept[step].layers(), kept[step].heads(), geometry.layers,
                              geometry.heads));
    }
  }
}

void check_types(const CacheGeometry& geometry, const HeadTypes& types) {
  bool fits = types.empty() || std::cmp_equal(types.size(), geometry.layers);
  for (const auto& heads : types) fits = fits && std::cmp_equal(heads.size(), geometry.heads);
  if (!fits) {
    throw Error(ErrorKind::kAudit,
                fmt::format("plan: types of heads for another model; expected {} "
                            "layers of {} heads",
                            geometry.layers, geometry.heads));
  }
}

/// `index` counts heads through all layers.
void check_count(
    const CacheGeometry& geometry, size_t at_step, size_t index, int64_t before, int64_t after) {
  const StepInfo& step = geometry.steps[at_step];
  const int64_t available = before + (step.stored ? step.queries() : 0);
  const auto where = [&] {
    return fmt::format("plan: step {}, layer {}, head {}", step.index, index / geometry.heads,
                       index % geometry.heads);
  };
  if (after < 0) {
    throw Error(ErrorKind::kAudit, fmt::format("{}: keeps {} tokens", where(), after));
  }
  if (after > available) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: keeps {} tokens, but only {} exist then ({} cached before{})",
                            where(), after, available, before,
                            step.stored ? fmt::format(" + {} new", step.queries())
                                        : std::string(", the step's own tokens are not stored")));
  }
  if (!step.stored && after != before) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: keeps {} of {} cached tokens, but a step that is not stored "
                            "changes nothing: expected {}",
                            where(), after, before, before));
  }
}

void check_format(const CacheGeometry& geometry) {
  for (const SideFormat* side : {&geometry.format.keys, &geometry.format.values}) {
    const std::string complaint = side->complaint();
    if (!complaint.empty()) throw Error(ErrorKind::kAudit, "plan: format: " + complaint);
  }
}

int64_t checked(std::span<const int64_t> heads, int64_t head) {
  if (head < 0 || head >= std::ssize(heads)) {
    throw std::out_of_range(fmt::format("head {} of {}", head, heads.size()));
  }
  return heads[static_cast<size_t>(head)];
}

}  // namespace

int64_t CacheGeometry::token_bytes() const {
  return head_dim * static_cast<int64_t>(c10::elementSize(key_type) + c10::elementSize(value_type));
}

int64_t CacheGeometry::head_bytes(int64_t tokens) const {
  return format.keys.bytes(tokens, head_dim, key_type) +
         format.values.bytes(tokens, head_dim, value_type);
}

Plan::Plan(CacheGeometry geometry, StepCounts kept, CountScope scope, HeadTypes head_types)
    : geometry_(std::move(geometry)), scope_(scope), head_types_(std::move(head_types)) {
  check_extents(geometry_, kept);
  check_format(geometry_);
  check_types(geometry_, head_types_);
  const LayerHeadTokens none(geometry_.layers, geometry_.heads, 0);
  capacity_ = none;
  for (size_t step = 0; step < kept.size(); ++step) {
    if (kept.repeats(step)) continue;  // possible after any step, as the first of them was
    const std::span<const int64_t> counts = kept[step].all();
    const std::span<const int64_t> counts_before = step == 0 ? none.all() : kept[step - 1].all();
    const std::span<int64_t> most = capacity_.all();
    for (size_t i = 0; i < counts.size(); ++i) {
      check_count(geometry_, step, i, counts_before[i], counts[i]);
      most[i] = std::max(most[i], counts[i]);
    }
  }
  kept_ = std::make_shared<const StepCounts>(std::move(kept));
}

int64_t Plan::kept(int64_t step, int64_t layer, int64_t head) const {
  return checked(kept_after(step).at(layer), head);
}

int64_t Plan::capacity(int64_t layer, int64_t head) const {
  return checked(capacity_.at(layer), head);
}

int64_t Plan::layer_kept(int64_t step, int64_t layer) const {
  const std::span<const int64_t> heads = kept_after(step).at(layer);
  return std::accumulate(heads.begin(), heads.end(), int64_t{0});
}

int64_t Plan::layer_capacity(int64_t layer) const {
  if (scope_ == CountScope::kHead) {
    const std::span<const int64_t> heads = capacity_.at(layer);
    return std::accumulate(heads.begin(), heads.end(), int64_t{0});
  }
  int64_t most = 0;
  for (size_t step = 0; step < kept_->size(); ++step) {
    most = std::max(most, layer_kept(static_cast<int64_t>(step), layer));
  }
  return most;
}

int64_t Plan::live_tokens(int64_t step) const {
  int64_t tokens = 0;
  for (int64_t layer = 0; layer < geometry_.layers; ++layer) tokens += layer_kept(step, layer);
  return tokens;
}

int64_t Plan::layer_bytes(int64_t step, int64_t layer) const {
  if (scope_ == CountScope::kHead) {
    int64_t bytes = 0;
    for (const int64_t tokens : kept_after(step).at(layer)) bytes += geometry_.head_bytes(tokens);
    return bytes;
  }
  const int64_t tokens = layer_kept(step, layer);
  const int64_t larger = tokens % geometry_.heads;
  return larger * geometry_.head_bytes(tokens / geometry_.heads + 1) +
         (geometry_.heads - larger) * geometry_.head_bytes(tokens / geometry_.heads);
}

int64_t Plan::live_bytes(int64_t step, int64_t rows) const {
  int64_t bytes = 0;
  for (int64_t layer = 0; layer < geometry_.layers; ++layer) bytes += layer_bytes(step, layer);
  return bytes * rows;
}

int64_t Plan::peak_live_bytes(int64_t rows, EvictionTiming timing) const {
  int64_t live = 0;
  int64_t most = 0;
  for (size_t step = 0; step < kept_->size(); ++step) {
    const auto at = static_cast<int64_t>(step);
    for (int64_t layer = 0; layer < geometry_.layers; ++layer) {
      live += layer_bytes(at, layer) - (step == 0 ? 0 : layer_bytes(at - 1, layer));
      if (timing == EvictionTiming::kPerLayer) most = std::max(most, live);
    }
    most = std::max(most, live);
  }
  return most * rows;
}

PoolTokens Plan::pool_tokens(int64_t layer, const SideFormat& format) const {
  if (scope_ == CountScope::kLayer) {
    // However the heads share, together they pack no more than one head that had it all would.
    const int64_t tokens = layer_capacity(layer);
    return {.packed = format.packed_tokens(tokens),
            .full = std::min(tokens, geometry_.heads * format.max_full_tokens(tokens))};
  }
  PoolTokens pool;
  for (const int64_t tokens : capacity_.at(layer)) {
    pool.packed += format.packed_tokens(tokens);
    pool.full += format.max_full_tokens(tokens);
  }
  return pool;
}

int64_t Plan::arena_bytes(int64_t rows) const {
  int64_t bytes = 0;
  for (int64_t layer = 0; layer < geometry_.layers; ++layer) {
    if (!geometry_.format.is_packed()) {
      bytes += layer_capacity(layer) * geometry_.token_bytes();
      continue;
    }
    const auto add = [&](const SideFormat& side, at::ScalarType type) {
      const PoolTokens pool = pool_tokens(layer, side);
      bytes += pool.full * geometry_.head_dim * static_cast<int64_t>(c10::elementSize(type));
      if (side.is_packed()) {
        bytes += pool.packed / side.unit_tokens() * side.unit_bytes(geometry_.head_dim);
      }
    };
    add(geometry_.format.keys, geometry_.key_type);
    add(geometry_.format.values, geometry_.value_type);
  }
  return bytes * rows + scratch_bytes(rows);
}

int64_t Plan::scratch_bytes(int64_t rows) const {
  if (!geometry_.format.is_packed()) return 0;
  int64_t tokens = 0;
  for (int64_t layer = 0; layer < geometry_.layers; ++layer) {
    tokens = std::max(tokens, layer_capacity(layer));
  }
  return tokens * rows * geometry_.token_bytes();
}

Plan full_plan(CacheGeometry geometry) {
  StepCounts kept;
  int64_t tokens = 0;
  for (const StepInfo& step : geometry.steps) {
    if (step.stored) tokens += step.queries();
    kept.push_back(LayerHeadTokens(geometry.layers, geometry.heads, tokens));
  }
  return {std::move(geometry), std::move(kept)};
}

}  // namespace kvscope
