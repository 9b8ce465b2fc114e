#include "experiments/commands/plan_details.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/dtype_name.h"
#include "core/base/mebibytes.h"
#include "core/engine/kv_memory.h"
#include "experiments/commands/plan_memory.h"

namespace kvscope {
namespace {

std::string bytes_text(int64_t bytes) {
  return fmt::format("{:.2f} MiB ({} bytes)", mebibytes(bytes), bytes);
}

/// Tokens of one step over layers and heads.
struct StepTokens {
  int64_t min = 0;
  int64_t max = 0;
  double mean = 0;
};

StepTokens step_tokens(const Plan& plan, int64_t step) {
  const CacheGeometry& cache = plan.geometry();
  StepTokens tokens{.min = plan.kept(step, 0, 0), .max = plan.kept(step, 0, 0)};
  for (int64_t layer = 0; layer < cache.layers; ++layer) {
    for (int64_t head = 0; head < cache.heads; ++head) {
      tokens.min = std::min(tokens.min, plan.kept(step, layer, head));
      tokens.max = std::max(tokens.max, plan.kept(step, layer, head));
    }
  }
  tokens.mean =
      static_cast<double>(plan.live_tokens(step)) / static_cast<double>(cache.layers * cache.heads);
  return tokens;
}

void append_steps(std::string& text, const Plan& plan, int64_t rows) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "  {:>4}  {:>9}  {:>8}  {:>31}  {:>14}\n", "step", "grid", "queries",
                 "tokens kept:   min, mean,  max", "KV bytes");
  for (const StepInfo& step : plan.geometry().steps) {
    const StepTokens tokens = step_tokens(plan, step.index);
    fmt::format_to(out, "  {:>4}  {:>9}  {:>8}  {:>9}  {:>10.1f}  {:>8}  {:>14}{}\n", step.index,
                   fmt::format("{}x{}", step.grid_height, step.grid_width), step.queries(),
                   tokens.min, tokens.mean, tokens.max, plan.live_bytes(step.index, rows),
                   step.stored ? "" : "  not stored");
  }
}

/// One line per (step, layer), one number per head.
void append_heads(std::string& text, const Plan& plan) {
  auto out = std::back_inserter(text);
  const CacheGeometry& cache = plan.geometry();
  fmt::format_to(out, "  tokens kept after every step, by layer: one number per head\n");
  for (const StepInfo& step : cache.steps) {
    for (int64_t layer = 0; layer < cache.layers; ++layer) {
      fmt::format_to(out, "  step {:>3}  layer {:>3} ", step.index, layer);
      for (int64_t head = 0; head < cache.heads; ++head) {
        fmt::format_to(out, " {}", plan.kept(step.index, layer, head));
      }
      text += '\n';
    }
  }
}

/// What was asked for, and what it comes to.
void append_budget(std::string& text, const Point& point) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "  {:<34}  {} tokens per head", "budget", point.budget_tokens);
  if (point.target_tokens != point.budget_tokens) {
    fmt::format_to(out, ", evictions aim at {} to stay within", point.target_tokens);
  }
  fmt::format_to(out, "; rows of a guided image choose {}\n",
                 point.budget.tied_rows ? "together" : "separately");
}

/// "2 bits in groups of 32 channels, the newest 32 tokens in full".
std::string format_text(const SideFormat& side, at::ScalarType type) {
  if (!side.is_packed()) return dtype_name(type);
  const bool of_tokens = side.axis == GroupAxis::kTokens;
  std::string text = fmt::format("{} bits in groups of {} {}", side.bits, side.group,
                                 of_tokens ? "tokens" : "channels");
  if (of_tokens) {
    text += fmt::format(", {} tokens at a time", side.residual_tokens);
  } else if (side.residual_tokens > 0) {
    text += fmt::format(", the newest {} tokens in full", side.residual_tokens);
  }
  return text;
}

}  // namespace

std::string plan_text(const Point& point, std::optional<double> limit_bytes, bool every_head) {
  std::string text;
  auto out = std::back_inserter(text);
  const Plan& plan = point.plan;
  const CacheGeometry& cache = plan.geometry();
  const int64_t images = point.generation.batch;
  const int64_t rows = point.generation.rows(images);
  const auto last = static_cast<int64_t>(cache.steps.size()) - 1;
  fmt::format_to(out, "{}, policy {}, budget {}\n", point.facts.name, point.label("policy"),
                 point.label("budget"));
  fmt::format_to(
      out, "  {} layers x {} heads x {} channels, {} parameters, {} x {} pixels; K {}, V {}\n",
      cache.layers, cache.heads, cache.head_dim, point.facts.parameters, point.facts.image_height,
      point.facts.image_width, format_text(cache.format.keys, cache.key_type),
      format_text(cache.format.values, cache.value_type));
  fmt::format_to(out, "  {} image{} at once, {} rows{}\n", images, images == 1 ? "" : "s", rows,
                 rows == images ? "" : ": guidance doubles them");
  append_budget(text, point);
  fmt::format_to(out, "  {:<34}  {:.1f} of {:.0f}\n", "tokens per head into the last step",
                 point.kept_tokens(), point.full_tokens());
  const auto policy = point.policy();
  const EvictionTiming timing = point.generation.eviction_timing;
  const std::pair<const char*, int64_t> lines[] = {
      {"KV cache into the last step", plan.live_bytes(last, rows)},
      {"most at once", plan.peak_live_bytes(rows, timing)},
      {"with the step a layer works on",
       peak_kv_bytes(plan, rows, policy->kv_transients(plan, timing))},
      {"arena", plan.arena_bytes(rows)}};
  for (const auto& [what, bytes] : lines) {
    fmt::format_to(out, "  {:<34}  {}\n", what, bytes_text(bytes));
  }
  const PointMemory memory = point_memory(point, images);
  text += memory_text(point, memory);
  if (limit_bytes) text += fmt::format("  {}\n", fit_text(point, memory, *limit_bytes));
  append_steps(text, plan, rows);
  for (const std::string& remark : policy->remarks(plan, point.target_tokens)) {
    fmt::format_to(out, "  {}\n", remark);
  }
  if (every_head) append_heads(text, plan);
  return text;
}

}  // namespace kvscope
