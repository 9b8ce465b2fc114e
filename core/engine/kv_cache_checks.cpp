// What a KvCache refuses, and its audit against the plan.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/error.h"
#include "core/engine/hole_filling.h"
#include "core/engine/kv_cache.h"

namespace kvscope {

void KvCache::check_capacity(int64_t layer, const StepInfo& step) const {
  const int64_t tokens = step.queries();
  for (int64_t row = 0; row < rows_; ++row) {
    for (int64_t head = 0; head < plan_.geometry().heads; ++head) {
      const int64_t held = length(layer, row, head);
      const int64_t capacity = table_.capacity(table_.slot(layer, row, head));
      if (held + tokens > capacity) {
        throw Error(ErrorKind::kAudit,
                    fmt::format("cache: step {}, layer {}, row {}, head {}: {} cached + {} new "
                                "tokens exceed the planned capacity of {}",
                                step.index, layer, row, head, held, tokens, capacity));
      }
    }
  }
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
    const auto outside = std::ranges::find_if(
        kept[i], [&](int64_t index) { return index < 0 || index >= available; });
    if (outside != kept[i].end()) {
      throw Error(ErrorKind::kAudit, fmt::format("{}: kept index {} is outside [0, {})", where(),
                                                 *outside, available));
    }
    const auto unordered = std::ranges::adjacent_find(kept[i], std::ranges::greater_equal{});
    if (unordered != kept[i].end() && (keeps_order() || !fills_holes(kept[i], available))) {
      throw Error(
          ErrorKind::kAudit,
          fmt::format("{}: kept index {} follows {}, expected strictly ascending{}", where(),
                      *(unordered + 1), *unordered, keeps_order() ? "" : " or hole filling"));
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

void KvCache::audit(int64_t step) const {
  const CacheGeometry& geometry = plan_.geometry();
  int64_t bytes = 0;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    for (int64_t row = 0; row < rows_; ++row) {
      int64_t of_layer = 0;
      for (int64_t head = 0; head < geometry.heads; ++head) {
        const int64_t held = length(layer, row, head);
        of_layer += held;
        bytes += geometry.head_bytes(held);
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
  // By the tokens held; the plan says the same wherever its counts fix the bytes.
  const int64_t planned = plan_.bytes_are_exact() ? plan_.live_bytes(step, rows_) : bytes;
  if (live_bytes() != planned || bytes != planned) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: step {}: {} bytes live, {} planned, {} by the tokens held",
                            step, live_bytes(), planned, bytes));
  }
  if (allocated_bytes() != plan_.arena_bytes(rows_)) {
    throw Error(ErrorKind::kAudit,
                fmt::format("cache: step {}: {} bytes allocated, the plan's arena has {}", step,
                            allocated_bytes(), plan_.arena_bytes(rows_)));
  }
}

}  // namespace kvscope
