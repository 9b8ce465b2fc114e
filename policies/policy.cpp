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
#include "policies/selection.h"

namespace kvscope {
namespace {

std::string describe(const StepInfo& step) {
  return fmt::format("step {} ({}x{})", step.index, step.grid_height, step.grid_width);
}

/// Sets `values` [available] of one (row, head) to `value` where the token is padding.
template <typename Value>
void fill_padding_tokens(
    const LayerStep& layer_step, int64_t row, int64_t head, Value value, std::span<Value> values) {
  const KvCache& cache = layer_step.cache;
  if (!cache.has_padding()) {
    return;
  }
  std::fill_n(values.begin(), cache.padding_length(layer_step.layer, row, head), value);
  std::fill_n(values.begin() + cache.length(layer_step.layer, row, head),
              cache.padding_of_step(layer_step.step, row), value);
}

}  // namespace

Policy::Policy(std::string name, PolicySlots slots)
    : name_(std::move(name)), slots_(std::move(slots)) {}

int64_t Policy::protected_tokens(const CacheGeometry& geometry,
                                 const StepInfo& step,
                                 int64_t budget_tokens) const {
  const auto window_tokens = static_cast<int64_t>(slots_.score->window(step, budget_tokens).size());
  int64_t tokens = 0;
  for (const auto& part : slots_.protect) {
    tokens += part->most_tokens(geometry, step, window_tokens);
  }
  return tokens;
}

int64_t Policy::least_budget(const CacheGeometry& geometry) const {
  const std::vector<StepInfo>& steps = geometry.steps;
  int64_t tokens = 1;
  for (const StepInfo& step : steps) {
    if (step.stored && slots_.schedule->runs_after(geometry, step)) {
      tokens = std::max(
          tokens, std::min(protected_tokens(geometry, step, 1), step.first_token + step.queries()));
    }
  }
  return std::min(tokens, full_cache_tokens(steps));
}

Plan Policy::plan(const CacheGeometry& geometry, const Budget& budget) const {
  const int64_t budget_tokens = resolved_tokens(budget, geometry.steps);
  LayerHeadTokens held(static_cast<std::size_t>(geometry.layers),
                       std::vector<int64_t>(static_cast<std::size_t>(geometry.heads), 0));
  std::vector<LayerHeadTokens> kept;
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) {
      kept.push_back(held);
      continue;
    }
    for (auto& layer : held) {
      for (auto& tokens : layer) {
        tokens += step.queries();
      }
    }
    if (slots_.schedule->runs_after(geometry, step)) {
      const int64_t untouchable = protected_tokens(geometry, step, budget_tokens);
      const auto allowed = slots_.allocate->tokens({.geometry = geometry,
                                                    .step = step,
                                                    .budget_tokens = budget_tokens,
                                                    .protected_tokens = untouchable,
                                                    .available = held});
      for (std::size_t layer = 0; layer < held.size(); ++layer) {
        for (std::size_t head = 0; head < held[layer].size(); ++head) {
          const int64_t available = held[layer][head];
          const int64_t count = std::min(allowed[layer][head], available);
          if (count < std::min(untouchable, available)) {
            throw Error(ErrorKind::kConfig,
                        fmt::format("policy '{}': a budget of {} tokens leaves {} in layer {}, "
                                    "head {} after {}, fewer than the {} it must protect there; "
                                    "nearest feasible: budget.tokens={}",
                                    name_, budget_tokens, count, layer, head, describe(step),
                                    untouchable, least_budget(geometry)));
          }
          held[layer][head] = count;
        }
      }
    }
    kept.push_back(held);
  }
  return Plan(slots_.store->format(geometry), std::move(kept), slots_.allocate->scope());
}

void Policy::begin_generation(int64_t rows) {
  slots_.score->begin_generation(rows);
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
  const TokenView view{.geometry = layer_step.cache.plan().geometry(),
                       .step = layer_step.step,
                       .history = layer_step.cache.origins(layer_step.layer, row, head),
                       .window = window,
                       .padding = layer_step.cache.padding(row)};
  std::vector<uint8_t> is_protected(static_cast<std::size_t>(view.available()), 0);
  for (const auto& part : slots_.protect) {
    part->mark(view, is_protected);
  }
  fill_padding_tokens(layer_step, row, head, uint8_t{0}, std::span(is_protected));
  return is_protected;
}

std::vector<int64_t> Policy::keep_of_head(const LayerStep& layer_step,
                                          int64_t row,
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
  const auto untouchable = std::count(is_protected.begin(), is_protected.end(), uint8_t{1});
  const auto where = [&] {
    return fmt::format("policy '{}', {}, layer {}, row {}, head {}", name_,
                       describe(layer_step.step), layer_step.layer, row, head);
  };
  if (untouchable > count) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: {} tokens are protected but the plan keeps {}; the cache was "
                            "planned for another policy or budget",
                            where(), untouchable, count));
  }
  const float* first = scores[row][head].const_data_ptr<float>();
  std::vector<float> values(first, first + tokens);
  fill_padding_tokens(layer_step, row, head, std::numeric_limits<float>::lowest(),
                      std::span(values));
  for (std::size_t token = 0; token < tokens; ++token) {
    if (is_protected[token] == 0 && !std::isfinite(values[token])) {
      throw Error(ErrorKind::kNumerics,
                  fmt::format("{}: the score of token {} of {} is {}; expected finite numbers, so "
                              "check keys, queries and the precision of this layer",
                              where(), token, tokens, values[token]));
    }
  }
  return keep_best(values, is_protected, count, slots_.score->ties());
}

at::Tensor Policy::scores(const LayerStep& layer_step) const {
  const int64_t rows = layer_step.cache.rows();
  const int64_t heads = layer_step.cache.plan().geometry().heads;
  const at::Tensor scores = slots_.score->score(layer_step).to(at::kCPU, at::kFloat).contiguous();
  const int64_t tokens = most_tokens(layer_step);
  if (scores.dim() != 3 || scores.size(0) != rows || scores.size(1) != heads ||
      scores.size(2) < tokens) {
    throw Error(ErrorKind::kAudit,
                fmt::format("policy '{}', layer {}: scores have another shape than [{} rows, {} "
                            "heads, {} tokens]",
                            name_, layer_step.layer, rows, heads, tokens));
  }
  return scores;
}

std::vector<int64_t> Policy::counts_of_row(
    const LayerStep& layer_step,
    int64_t row,
    const at::Tensor& scores,
    std::span<const std::vector<uint8_t>> is_protected) const {
  const Plan& plan = layer_step.cache.plan();
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
  const at::Tensor of_row = scores[row];
  counts = slots_.allocate->share({.layer_step = layer_step,
                                   .row = row,
                                   .total = total,
                                   .scores = of_row,
                                   .available = available,
                                   .is_protected = is_protected});
  bool fits = std::accumulate(counts.begin(), counts.end(), int64_t{0}) == total &&
              counts.size() == available.size();
  for (std::size_t head = 0; fits && head < counts.size(); ++head) {
    const auto least = std::count(is_protected[head].begin(), is_protected[head].end(), uint8_t{1});
    fits = counts[head] >= least && counts[head] <= available[head];
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

KeptIndices Policy::choose(const LayerStep& layer_step) const {
  const KvCache& cache = layer_step.cache;
  const int64_t heads = cache.plan().geometry().heads;
  const at::Tensor scores = Policy::scores(layer_step);
  const std::vector<int64_t> window =
      slots_.score->window(layer_step.step, tightest_count(layer_step));
  KeptIndices kept;
  kept.reserve(static_cast<std::size_t>(cache.rows() * heads));
  for (int64_t row = 0; row < cache.rows(); ++row) {
    std::vector<std::vector<uint8_t>> is_protected;
    for (int64_t head = 0; head < heads; ++head) {
      is_protected.push_back(protection(layer_step, row, head, window));
    }
    const std::vector<int64_t> counts = counts_of_row(layer_step, row, scores, is_protected);
    for (int64_t head = 0; head < heads; ++head) {
      const auto at = static_cast<std::size_t>(head);
      kept.push_back(keep_of_head(layer_step, row, head, counts[at], scores, is_protected[at]));
    }
  }
  return kept;
}

std::optional<KeptIndices> Policy::decide(const LayerStep& layer_step) {
  const Plan& plan = layer_step.cache.plan();
  int64_t available = 0;  // of the layer, one row: all rows hold the same number together
  for (int64_t head = 0; head < plan.geometry().heads; ++head) {
    available += layer_step.cache.length(layer_step.layer, 0, head) + layer_step.step.queries();
  }
  slots_.score->observe(layer_step);
  std::optional<KeptIndices> kept;
  if (plan.layer_kept(layer_step.step.index, layer_step.layer) < available) {
    kept = choose(layer_step);
  }
  slots_.score->settle(layer_step, kept ? &*kept : nullptr);
  return kept;
}

}  // namespace kvscope
