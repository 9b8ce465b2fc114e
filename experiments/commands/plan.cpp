#include "experiments/commands/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/byte_size.h"
#include "core/base/console.h"
#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/base/mebibytes.h"
#include "core/base/output_check.h"
#include "core/engine/kv_memory.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/plan_figures.h"
#include "experiments/commands/plan_memory.h"
#include "experiments/commands/results/paper_memory.h"
#include "experiments/sweep/point.h"
#include "experiments/terminal.h"

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

/// A point, what it takes, and whether that fits, in words; empty without a limit.
struct PlannedPoint {
  const Point& point;
  PointMemory memory;
  std::string fit;
};

std::string plan_text(const PlannedPoint& planned, bool every_head) {
  const Point& point = planned.point;
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
  text += memory_text(point, planned.memory);
  if (!planned.fit.empty()) text += fmt::format("  {}\n", planned.fit);
  append_steps(text, plan, rows);
  for (const std::string& remark : policy->remarks(plan, point.target_tokens)) {
    fmt::format_to(out, "  {}\n", remark);
  }
  if (every_head) append_heads(text, plan);
  return text;
}

std::string overview(const std::vector<PlannedPoint>& points) {
  size_t width = 24;
  for (const auto& planned : points) {
    width = std::max(width, planned.point.label("policy").size());
  }
  std::string text =
      fmt::format("{:<{}} {:<14} {:>15} {:>10} {:>16} {:>16} {:>14}\n", "policy", width, "budget",
                  "tokens per head", "KV MiB", "KV bytes", "arena bytes", "total, about");
  for (const auto& [point, memory, fit] : points) {
    const int64_t rows = point.generation.rows(point.generation.batch);
    const auto last = static_cast<int64_t>(point.plan.geometry().steps.size()) - 1;
    const int64_t bytes = point.plan.live_bytes(last, rows);
    text += fmt::format("{:<{}} {:<14} {:>15.1f} {:>10.2f} {:>16} {:>16} {:>14}{}\n",
                        point.label("policy"), width, point.label("budget"), point.kept_tokens(),
                        mebibytes(bytes), bytes, memory.arena_bytes,
                        short_bytes_text(memory.total_bytes()), fit.empty() ? "" : "  " + fit);
  }
  return text;
}

void check_figures(const PlanOptions& options) {
  constexpr std::array<std::string_view, 4> kEndings = {".svg", ".png", ".pdf", ".csv"};
  for (const std::string& out : options.maps) check_output(out, "--map", kEndings);
  for (const std::string& out : options.curves) check_output(out, "--curve", kEndings);
}

void check_one_point(const std::vector<Point>& points, const PlanOptions& options) {
  if (options.maps.empty() || points.size() == 1) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("--map draws one point, and there are {}; --curve draws them all",
                          points.size()));
}

void write_figures(const std::vector<Point>& points, const PlanOptions& options) {
  for (const std::string& out : options.maps) {
    write_plan_map(points.front(), out);
    fmt::print("{}\n", out);
  }
  for (const std::string& out : options.curves) {
    write_plan_curve(points, out);
    fmt::print("{}\n", out);
  }
}

}  // namespace

int plan_command(const ConfigArguments& arguments, const PlanOptions& options) {
  std::optional<double> limit_bytes;
  if (!options.fits.empty()) limit_bytes = bytes_of_text("--fits", options.fits);
  check_figures(options);
  if (is_paper_memory(arguments)) {
    fmt::print("{}", console_table(paper_memory(arguments).table, console_style()));
    return 0;
  }
  const PointList list = list_points(compose_request(arguments), data_root().string(),
                                     PointIdentity::kNone, component_registry(arguments));
  check_one_point(list.points, options);
  say_notes(list);
  for (const std::string& message : list.infeasible) {
    say("left out: {}", message);
  }
  std::vector<PlannedPoint> planned;
  planned.reserve(list.points.size());
  bool all_fit = true;
  for (const Point& point : list.points) {
    const PointMemory memory = point_memory(point, point.generation.batch);
    if (limit_bytes && !memory.fits(*limit_bytes)) all_fit = false;
    planned.push_back(
        {point, memory, limit_bytes ? fit_text(point, memory, *limit_bytes) : std::string()});
    fmt::print("{}\n", plan_text(planned.back(), options.every_head));
  }
  if (list.points.size() > 1) {
    fmt::print("{} points{}\n{}", list.points.size(),
               list.duplicates > 0 ? fmt::format(", {} duplicates left out", list.duplicates) : "",
               overview(planned));
  }
  write_figures(list.points, options);
  return all_fit ? 0 : 1;
}

void register_plan(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto options = std::make_shared<PlanOptions>();
  CLI::App& command = registrar.add("plan", "tokens and bytes of a run, without running it",
                                    [=] { return plan_command(*config, *options); });
  add_config_options(command, *config);
  command.add_option("--fits", options->fits,
                     "a size such as 24GiB: whether weights, activations and cache fit it; exit "
                     "code 1 where they do not");
  const auto add_figures = [&](const char* name, std::vector<std::string>& files,
                               const char* help) {
    command.add_option(name, files, help)->expected(1)->take_all()->allow_extra_args(false);
  };
  add_figures("--map", options->maps,
              "FILE.svg, .png, .pdf or .csv: tokens kept by layer and step; repeatable");
  add_figures("--curve", options->curves,
              "likewise: the KV cache after every step, a line per point");
  command.add_flag("--full", options->every_head, "tokens of every (step, layer, head)");
}

}  // namespace kvscope
