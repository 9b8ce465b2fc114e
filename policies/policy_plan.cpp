#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "policies/policy.h"

namespace kvscope {
namespace {

/// What the components are told to keep after `step`, of `tokens` into the last step.
int64_t tokens_after(const Budget& budget,
                     const CacheGeometry& geometry,
                     const StepInfo& step,
                     int64_t tokens) {
  if (budget.scope != BudgetScope::kStep || budget.unit != BudgetUnit::kRatio) return tokens;
  const int64_t text = budget.free_text ? condition_tokens(geometry.steps) : 0;
  const int64_t full = full_cache_tokens(geometry.steps) - text;
  if (full < 1) return tokens;
  const auto there = static_cast<double>(step.first_token + step.queries() - text);
  const double share = static_cast<double>(tokens - text) / static_cast<double>(full);
  return std::max<int64_t>(std::llround(share * there) + text, 1);
}

}  // namespace

int64_t Policy::protected_tokens(const CacheGeometry& geometry,
                                 const StepInfo& step,
                                 int64_t budget_tokens) const {
  const auto window_tokens = static_cast<int64_t>(slots_.score->window(step, budget_tokens).size());
  int64_t tokens = 0;
  for (const auto& component : slots_.protect) {
    tokens += component->max_tokens(geometry, step, window_tokens);
  }
  return tokens;
}

int64_t Policy::min_budget(const CacheGeometry& geometry) const {
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

Policy::Attempt Policy::attempt(const CacheGeometry& geometry,
                                const Budget& budget,
                                int64_t tokens) const {
  LayerHeadTokens held(geometry.layers, geometry.heads, 0);
  StepCounts kept;
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) {
      kept.push_back(held);
      continue;
    }
    for (int64_t& count : held.all()) count += step.queries();
    if (slots_.schedule->runs_after(geometry, step)) {
      int64_t target = tokens_after(budget, geometry, step, tokens);
      const int64_t untouchable = protected_tokens(geometry, step, target);
      // The share of an early step may be less than what no budget drops.
      if (budget.scope == BudgetScope::kStep) target = std::max(target, untouchable);
      const LayerHeadTokens allowed = slots_.allocate->tokens({.geometry = geometry,
                                                               .step = step,
                                                               .budget_tokens = target,
                                                               .protected_tokens = untouchable,
                                                               .available = held});
      if (allowed.layers() != held.layers() || allowed.heads() != held.heads()) {
        throw Error(
            ErrorKind::kAudit,
            fmt::format("policy '{}': allocate gave counts for {} layers of {} heads; "
                        "expected {} of {}",
                        name_, allowed.layers(), allowed.heads(), held.layers(), held.heads()));
      }
      const std::span<int64_t> counts = held.all();
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const int64_t available = counts[i];
        counts[i] = std::min(allowed.all()[i], available);
        if (counts[i] < std::min(untouchable, available)) {
          return {
              .plan = std::nullopt,
              .problem = fmt::format("{} tokens per head leave {} in layer {}, head {} after "
                                     "step {} ({}x{}), fewer than the {} it must protect there",
                                     tokens, counts[i], i / geometry.heads, i % geometry.heads,
                                     step.index, step.grid_height, step.grid_width, untouchable)};
        }
      }
    }
    kept.push_back(held);
  }
  return {.plan = Plan(slots_.store->format(geometry), std::move(kept), slots_.allocate->scope(),
                       slots_.allocate->head_types(geometry)),
          .problem = {}};
}

PlannedBudget Policy::plan_budget(const CacheGeometry& geometry,
                                  const Budget& budget,
                                  int64_t rows_per_image) const {
  slots_.read->check(geometry);
  const CacheGeometry stored = slots_.store->format(geometry);
  const bool in_bytes = budget.unit == BudgetUnit::kBytes;
  const int64_t resolved = resolved_tokens(budget, stored, rows_per_image);
  const int64_t most = in_bytes ? full_cache_tokens(geometry.steps) : resolved;
  const auto too_much = [&](const Attempt& attempt) {
    return attempt.plan && !within_budget(*attempt.plan, budget, resolved, rows_per_image);
  };
  const auto refuse = [&](const std::string& problem, int64_t feasible) -> Error {
    return {
        ErrorKind::kConfig,
        fmt::format("policy '{}', budget {}: {}; nearest feasible: {}", name_, budget_text(budget),
                    problem, budget_of_tokens(budget, feasible, stored, rows_per_image))};
  };

  Attempt best = attempt(geometry, budget, most);
  int64_t target = most;
  if (too_much(best)) {  // components count in their own way, and schedules let tokens pile up
    int64_t above = most;
    target = 0;
    // Rounded counts do not grow steadily with the target, so the nearest ones are tried one by
    // one.
    constexpr int64_t kOneByOne = 64;
    while (!in_bytes && target == 0 && above > 1 && most - above < kOneByOne) {
      (too_much(attempt(geometry, budget, above - 1)) ? above : target) = above - 1;
    }
    while (above - target > 1) {
      const int64_t middle = target + (above - target) / 2;
      (too_much(attempt(geometry, budget, middle)) ? above : target) = middle;
    }
    best = target > 0 ? attempt(geometry, budget, target) : Attempt{};
    if (!best.plan) {
      const Attempt least = attempt(geometry, budget, above);
      const double held = held_tokens(*least.plan, budget);
      throw refuse(fmt::format("keeps {:.6g} tokens per head at least, {}", held,
                               in_bytes ? "more than these bytes hold"
                                        : fmt::format("more than {}", resolved)),
                   static_cast<int64_t>(std::ceil(held - 1e-6)));
    }
  }
  if (!best.plan) throw refuse(best.problem, min_budget(geometry));
  return {.plan = *std::move(best.plan),
          .tokens = in_bytes ? target : resolved,
          .target_tokens = target};
}

std::vector<std::string> Policy::remarks(const Plan& plan, int64_t target_tokens) const {
  std::vector<std::string> lines = slots_.allocate->remarks(plan, target_tokens);
  const CacheGeometry& geometry = plan.geometry();
  if (slots_.read->positions() == KeyPositions::kInCache) {
    lines.emplace_back("attention sees keys at their positions in the cache");
  }
  const int64_t last = last_attending_step(geometry.steps);
  if (last < 1) return lines;
  const StepInfo& step = geometry.steps[static_cast<std::size_t>(last)];
  int64_t seen = 0;
  bool all = true;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    const auto tokens = slots_.read->tokens(plan, step, layer);
    seen += tokens ? tokens->seen : plan.layer_kept(last - 1, layer);
    all = all && !tokens;
  }
  if (all) return lines;
  const auto heads = static_cast<double>(geometry.layers * geometry.heads);
  lines.push_back(fmt::format(
      "attention reads at most {:.1f} of {:.1f} tokens per head in the last step",
      static_cast<double>(seen) / heads, static_cast<double>(plan.live_tokens(last - 1)) / heads));
  return lines;
}

Plan Policy::plan(const CacheGeometry& geometry,
                  const Budget& budget,
                  int64_t rows_per_image) const {
  return plan_budget(geometry, budget, rows_per_image).plan;
}

}  // namespace kvscope
