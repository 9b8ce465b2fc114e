#include "policies/policy.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/engine/hole_filling.h"
#include "policies/selection.h"

namespace kvscope {
namespace {

std::string describe(const StepInfo& step) {
  return fmt::format("step {} ({}x{})", step.index, step.grid_height, step.grid_width);
}

TokenView view_of(const LayerStep& layer_step,
                  int64_t row,
                  int64_t head,
                  std::span<const int64_t> window = {}) {
  return {.geometry = layer_step.cache->plan().geometry(),
          .step = layer_step.step,
          .history = layer_step.cache->origins(layer_step.layer, row, head),
          .window = window,
          .padding = layer_step.cache->padding(row)};
}

/// Rows that decide together: a row by itself, or the two of a guidance pair.
using RowGroup = std::vector<int64_t>;

/// Sets `values` [available] of a head to `value` where the token is padding in every row.
template <typename Value>
void fill_padding_tokens(const LayerStep& layer_step,
                         std::span<const int64_t> rows,
                         int64_t head,
                         Value value,
                         std::span<Value> values) {
  const KvCache& cache = *layer_step.cache;
  if (!cache.has_padding()) return;
  int64_t cached = std::numeric_limits<int64_t>::max();
  int64_t current = cached;
  for (const int64_t row : rows) {
    cached = std::min(cached, cache.padding_length(layer_step.layer, row, head));
    current = std::min(current, cache.padding_of_step(layer_step.step, row));
  }
  std::fill_n(values.begin(), cached, value);
  std::fill_n(values.begin() + cache.length(layer_step.layer, rows.front(), head), current, value);
}

/// [heads, tokens]: the scores of the rows summed; what is padding in a row gets nothing from it.
at::Tensor scores_of(const LayerStep& layer_step, const RowGroup& rows, const at::Tensor& scores) {
  if (rows.size() == 1) return scores[rows.front()];
  const CacheGeometry& geometry = layer_step.cache->plan().geometry();
  at::Tensor sum = at::zeros(scores.sizes().slice(1), scores.options());
  for (const int64_t row : rows) {
    at::Tensor own = scores[row].clone();
    for (int64_t head = 0; head < geometry.heads; ++head) {
      std::span values(own[head].mutable_data_ptr<float>(), static_cast<std::size_t>(own.size(1)));
      fill_padding_tokens(layer_step, std::span(&row, 1), head, 0.0F, values);
    }
    sum += own;
  }
  return sum;
}

/// fp32 on the CPU; one copy, and one wait, for all of those that are on a device.
std::vector<at::Tensor> on_host(std::vector<at::Tensor> scores) {
  const bool together = scores.size() > 1 && std::ranges::all_of(scores, [&](const auto& each) {
                          return !each.is_cpu() && each.device() == scores.front().device();
                        });
  if (!together) {
    for (at::Tensor& each : scores) each = each.to(at::kCPU, at::kFloat).contiguous();
    return scores;
  }
  std::vector<at::Tensor> flat;
  for (const at::Tensor& each : scores) flat.push_back(each.to(at::kFloat).flatten());
  const at::Tensor all = at::cat(flat).cpu();
  int64_t from = 0;
  for (at::Tensor& each : scores) {
    const int64_t count = each.numel();
    each = all.narrow(0, from, count).view(each.sizes());
    from += count;
  }
  return scores;
}

/// Whether the plan drops anything of the layer: all rows hold the same number together.
bool evicts(const LayerStep& layer_step) {
  const Plan& plan = layer_step.cache->plan();
  int64_t available = 0;  // in one row
  for (int64_t head = 0; head < plan.geometry().heads; ++head) {
    available += layer_step.cache->length(layer_step.layer, 0, head) + layer_step.step.queries();
  }
  return plan.layer_kept(layer_step.step.index, layer_step.layer) < available;
}

/// Whether an eviction from the layer fills holes: tokens may lie in any order, for the policy and
/// the cache.
bool any_order(const LayerStep& layer_step, bool order_free) {
  return order_free && !layer_step.cache->keeps_order();
}

int64_t count_of(std::span<const uint8_t> is_protected) {
  return std::count(is_protected.begin(), is_protected.end(), uint8_t{1});
}

}  // namespace

Policy::Policy(std::string name, PolicySlots slots)
    : name_(std::move(name)),
      slots_(std::move(slots)),
      order_free_(slots_.score->order_free() && slots_.read->order_free() &&
                  std::ranges::all_of(slots_.protect, [](const auto& component) {
                    return component->order_free();
                  })) {}

void Policy::begin_generation(int64_t rows) {
  if (tied_rows_ && rows % 2 != 0) {
    throw Error(ErrorKind::kAudit,
                fmt::format("policy '{}': {} rows are no guidance pairs", name_, rows));
  }
  slots_.score->begin_generation(rows);
  slots_.read->begin_generation(rows);
}

Reading Policy::read(const KvCache& cache, const StepInfo& step, int64_t layer) const {
  Reading reading{.positions = slots_.read->positions(),
                  .copies_all_held = slots_.read->copies_all_held()};
  if (auto seen = slots_.read->seen(cache, step, layer)) {
    reading.tokens = std::make_shared<const KeptIndices>(*std::move(seen));
  }
  return reading;
}

KvTransients Policy::kv_transients(const Plan& plan, EvictionTiming timing) const {
  return {.eviction_timing = timing,
          .turned_keys = key_positions() == KeyPositions::kInCache,
          .copied_tokens = [this, &plan](const StepInfo& step,
                                         int64_t layer) -> std::optional<int64_t> {
            const auto tokens = slots_.read->tokens(plan, step, layer);
            return tokens ? std::optional(tokens->copied) : std::nullopt;
          }};
}

std::vector<uint8_t> Policy::protection(const LayerStep& layer_step,
                                        int64_t row,
                                        int64_t head) const {
  return protection(layer_step, row, head,
                    slots_.score->window(layer_step.step, tightest_count(layer_step)));
}

std::vector<uint8_t> Policy::protection(const LayerStep& layer_step,
                                        int64_t row,
                                        int64_t head,
                                        std::span<const int64_t> window) const {
  const TokenView view = view_of(layer_step, row, head, window);
  std::vector<uint8_t> is_protected(static_cast<std::size_t>(view.available()), 0);
  for (const auto& component : slots_.protect) {
    component->mark(view, is_protected);
  }
  fill_padding_tokens(layer_step, std::span(&row, 1), head, uint8_t{0}, std::span(is_protected));
  return is_protected;
}

std::vector<int64_t> Policy::keep_of_head(const LayerStep& layer_step,
                                          std::span<const int64_t> rows,
                                          int64_t head,
                                          int64_t count,
                                          const at::Tensor& scores,
                                          std::span<const uint8_t> is_protected) const {
  const std::size_t tokens = is_protected.size();
  if (count >= static_cast<int64_t>(tokens)) {
    std::vector<int64_t> all(tokens);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  const int64_t untouchable = count_of(is_protected);
  const auto where = [&] {
    return fmt::format("policy '{}', {}, layer {}, row {}, head {}", name_,
                       describe(layer_step.step), layer_step.layer, rows.front(), head);
  };
  if (untouchable > count) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: {} tokens are protected but the plan keeps {}; the cache was "
                            "planned for another policy or budget",
                            where(), untouchable, count));
  }
  const float* first = scores.const_data_ptr<float>() + head * scores.size(1);
  std::vector<float> values(first, first + tokens);
  fill_padding_tokens(layer_step, rows, head, std::numeric_limits<float>::lowest(),
                      std::span(values));
  for (std::size_t token = 0; token < tokens; ++token) {
    if (is_protected[token] == 0 && !std::isfinite(values[token])) {
      throw Error(ErrorKind::kNumerics,
                  fmt::format("{}: the score of token {} of {} is {}; expected finite numbers, so "
                              "check keys, queries and the precision of this layer",
                              where(), token, tokens, values[token]));
    }
  }
  std::vector<int64_t> positions;
  if (any_order(layer_step, order_free_)) {
    const TokenView view = view_of(layer_step, rows.front(), head);
    positions.resize(tokens);
    for (std::size_t token = 0; token < tokens; ++token) {
      positions[token] = view.padded_position(static_cast<int64_t>(token));
    }
  }
  return keep_best(values, is_protected, count, slots_.score->ties(), positions);
}

at::Tensor Policy::scores(const LayerStep& layer_step) const {
  const int64_t rows = layer_step.cache->rows();
  const int64_t heads = layer_step.cache->plan().geometry().heads;
  at::Tensor scores = slots_.score->score(layer_step);
  if (scores.dim() != 3 || scores.size(0) != rows || scores.size(1) != heads ||
      scores.size(2) < max_tokens(layer_step)) {
    throw Error(ErrorKind::kAudit,
                fmt::format("policy '{}', layer {}: scores have another shape than [{} rows, {} "
                            "heads, {} tokens]",
                            name_, layer_step.layer, rows, heads, max_tokens(layer_step)));
  }
  return scores;
}

std::vector<int64_t> Policy::counts_of_row(
    const LayerStep& layer_step,
    int64_t row,
    const at::Tensor& scores,
    std::span<const std::vector<uint8_t>> is_protected) const {
  const Plan& plan = layer_step.cache->plan();
  const int64_t heads = plan.geometry().heads;
  std::vector<int64_t> counts;
  if (plan.scope() == CountScope::kHead) {
    for (int64_t head = 0; head < heads; ++head) {
      counts.push_back(plan.kept(layer_step.step.index, layer_step.layer, head));
    }
    return counts;
  }
  std::vector<int64_t> available;
  for (const auto& line : is_protected) available.push_back(static_cast<int64_t>(line.size()));
  const int64_t total = plan.layer_kept(layer_step.step.index, layer_step.layer);
  counts = slots_.allocate->share({.layer_step = layer_step,
                                   .row = row,
                                   .total = total,
                                   .scores = scores,
                                   .available = available,
                                   .is_protected = is_protected});
  bool fits = std::accumulate(counts.begin(), counts.end(), int64_t{0}) == total &&
              counts.size() == available.size();
  for (std::size_t head = 0; fits && head < counts.size(); ++head) {
    fits = counts[head] >= count_of(is_protected[head]) && counts[head] <= available[head];
  }
  if (!fits) {
    throw Error(ErrorKind::kAudit,
                fmt::format("policy '{}', {}, layer {}, row {}: the heads' shares are [{}], "
                            "expected {} of together {} within what each holds and protects",
                            name_, describe(layer_step.step), layer_step.layer, row,
                            fmt::join(counts, ", "), available.size(), total));
  }
  return counts;
}

std::vector<std::vector<uint8_t>> Policy::protection_of(const LayerStep& layer_step,
                                                        std::span<const int64_t> rows,
                                                        std::span<const int64_t> window) const {
  const Plan& plan = layer_step.cache->plan();
  const int64_t heads = plan.geometry().heads;
  std::vector<std::vector<uint8_t>> of_first;
  for (int64_t head = 0; head < heads; ++head) {
    of_first.push_back(protection(layer_step, rows.front(), head, window));
  }
  if (rows.size() == 1) return of_first;
  std::vector<std::vector<uint8_t>> of_all = of_first;
  bool fits = true;
  int64_t left = plan.layer_kept(layer_step.step.index, layer_step.layer);
  for (int64_t head = 0; head < heads; ++head) {
    std::vector<uint8_t>& line = of_all[static_cast<std::size_t>(head)];
    for (const int64_t row : rows.subspan(1)) {
      const std::vector<uint8_t> other = protection(layer_step, row, head, window);
      for (std::size_t token = 0; token < line.size(); ++token) line[token] |= other[token];
    }
    left -= count_of(line);
    fits = fits && (plan.scope() == CountScope::kLayer ||
                    count_of(line) <= plan.kept(layer_step.step.index, layer_step.layer, head));
  }
  return fits && left >= 0 ? of_all : of_first;
}

KeptIndices Policy::choose(const LayerStep& layer_step, const at::Tensor& scores) const {
  const KvCache& cache = *layer_step.cache;
  const int64_t heads = cache.plan().geometry().heads;
  const std::vector<int64_t> window =
      slots_.score->window(layer_step.step, tightest_count(layer_step));
  const int64_t groups = tied_rows_ ? cache.rows() / 2 : cache.rows();
  KeptIndices kept(static_cast<std::size_t>(cache.rows() * heads));
  for (int64_t row = 0; row < groups; ++row) {
    const RowGroup rows = tied_rows_ ? RowGroup{row, row + groups} : RowGroup{row};
    const auto is_protected = protection_of(layer_step, rows, window);
    const at::Tensor of_rows = scores_of(layer_step, rows, scores);
    const std::vector<int64_t> counts = counts_of_row(layer_step, row, of_rows, is_protected);
    for (int64_t head = 0; head < heads; ++head) {
      const auto at = static_cast<std::size_t>(head);
      const std::vector<int64_t> chosen =
          keep_of_head(layer_step, rows, head, counts[at], of_rows, is_protected[at]);
      for (const int64_t member : rows) {
        kept[static_cast<std::size_t>(member * heads + head)] = chosen;
      }
    }
  }
  return kept;
}

std::optional<KeptIndices> Policy::decide(const LayerStep& layer_step) {
  return std::move(decide_step(std::span(&layer_step, 1)).front());
}

std::vector<std::optional<KeptIndices>> Policy::decide_step(std::span<const LayerStep> layers) {
  for (const LayerStep& layer_step : layers) {
    slots_.score->observe(layer_step);
    slots_.read->observe(layer_step);
  }
  std::vector<std::size_t> evicting;
  std::vector<at::Tensor> scores;  // of the layers that evict
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!evicts(layers[i])) continue;
    evicting.push_back(i);
    scores.push_back(Policy::scores(layers[i]));
  }
  scores = on_host(std::move(scores));
  std::vector<std::optional<KeptIndices>> kept(layers.size());
  for (std::size_t i = 0; i < evicting.size(); ++i) {
    const LayerStep& layer_step = layers[evicting[i]];
    KeptIndices chosen = choose(layer_step, scores[i]);
    kept[evicting[i]] =
        any_order(layer_step, order_free_) ? hole_filling(std::move(chosen)) : std::move(chosen);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    slots_.score->settle(layers[i], kept[i] ? &*kept[i] : nullptr);
  }
  return kept;
}

}  // namespace kvscope
