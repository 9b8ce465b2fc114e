#include "experiments/commands/attention/attention_ablate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "analysis/metrics/registry.h"
#include "core/base/atomic_file.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/override.h"
#include "experiments/ablation/ablation_figures.h"
#include "experiments/ablation/role_comparison.h"
#include "experiments/commands/sweep_outcome.h"
#include "experiments/commands/unread_overrides.h"
#include "experiments/results/late_metrics.h"
#include "experiments/sweep/prompt_check.h"
#include "experiments/sweep/sweep_folder.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

Metric chosen_metric(const std::string& name) {
  Metric metric = metric_named(name);
  if (metric.scope != MetricScope::kSet) return metric;
  std::vector<std::string> known;
  for (const Metric& one : metrics()) {
    if (one.scope != MetricScope::kSet) known.push_back(one.name);
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("--metric {}: is of all images of a point at once, and images are paired "
                          "here; expected one of {}",
                          name, fmt::join(known, ", ")));
}

bool sets(const std::vector<std::string>& overrides, std::string_view key) {
  for (const Override& override : parse_overrides(overrides)) {
    if (override.key == key || override.key.starts_with(std::string(key) + ".")) return true;
  }
  return false;
}

void check_arguments(const ConfigArguments& arguments) {
  if (arguments.multirun) {
    throw Error(ErrorKind::kConfig,
                "attention ablate makes its own sweep, over what --over names, of one point; leave "
                "-m out");
  }
  constexpr std::string_view kUnread[] = {"policy", "budget", "infeasible"};
  refuse_unread_overrides(arguments.overrides, "attention ablate", kUnread);
}

/// The full cache of this configuration, which says what the model has; no file is read.
Point full_cache_point(const ComposeRequest& request,
                       const std::string& root,
                       std::shared_ptr<const ComponentRegistry> components) {
  ComposeRequest full = request;
  full.overrides.emplace_back("policy=full");
  return list_points(full, root, PointIdentity::kNone, std::move(components)).points.front();
}

/// The full cache, then what is hidden, in order.
std::vector<std::vector<std::string>> grid_of(const Ablation& ablation,
                                              const std::vector<std::string>& shared) {
  std::vector<std::vector<std::string>> grid{shared};
  grid.front().emplace_back("policy=full");
  for (int64_t thing = 0; thing < ablation.size(); ++thing) {
    if (!ablation.hides(thing)) continue;
    std::vector<std::string> point = shared;
    point.emplace_back("policy=masked");
    for (std::string& override : ablation.overrides(thing)) point.push_back(std::move(override));
    grid.push_back(std::move(point));
  }
  return grid;
}

/// What every point is made of: the command line's, the metric, and a folder of this ablation.
std::vector<std::string> shared_overrides(const Point& full,
                                          const Ablation& ablation,
                                          const Metric& metric,
                                          const std::vector<std::string>& given) {
  std::vector<std::string> shared = given;
  if (std::ranges::find(full.metrics, metric.name) == full.metrics.end()) {
    std::vector<std::string> all = full.metrics;
    all.push_back(metric.name);
    std::erase_if(
        shared, [](const std::string& text) { return parse_override(text).key == "metrics.list"; });
    shared.push_back(fmt::format("metrics.list=[{}]", fmt::join(all, ",")));
  }
  if (!sets(given, "name")) {
    shared.push_back(fmt::format("name={}_without_{}", full.facts.name, ablation.stem()));
  }
  return shared;
}

void write_both(const Canvas& canvas, const FigureInfo& info, const std::string& stem) {
  write_figure(canvas, stem + ".svg", info);
  write_figure(canvas, stem + ".png", info);
}

/// Table, figure and CSV; returns the lines that name the files.
std::string write_result(const AblationResult& result, const std::string& stem) {
  fmt::print("{}", console_table(ablation_table(result), console_style()));
  write_file_atomically(stem + ".csv", csv_table(ablation_table(result)));
  if (result.ablation.axes().size() == 2) {
    const Heatmap map = ablation_map(result);
    write_both(draw_heatmap(map), heatmap_info(map), stem);
  } else {
    const Chart chart = ablation_chart(result);
    write_both(draw_chart(chart), chart_info(chart), stem);
  }
  return fmt::format("{0}.csv\n{0}.svg\n{0}.png\n", stem);
}

/// Read before anything runs.
std::vector<AttentionFinding> findings_of(const AttentionAblateOptions& options,
                                          const Ablation& ablation,
                                          const Point& full) {
  if (options.compare.empty()) return {};
  const AttentionRecord record = read_attention(options.compare);
  const CacheGeometry& cache = full.facts.cache;
  if (record.layers != cache.layers || record.heads != cache.heads ||
      std::ssize(record.steps) != std::ssize(cache.steps) ||
      (!record.model.empty() && record.model != full.facts.name)) {
    throw Error(ErrorKind::kInput,
                fmt::format("--compare {}: a record of {}, {} layers x {} heads x {} steps; {} has "
                            "{} x {} x {}; expected one of this model, as kvscope attention record "
                            "model={} -o {}",
                            options.compare.string(), record.model, record.layers, record.heads,
                            record.steps.size(), full.facts.name, cache.layers, cache.heads,
                            cache.steps.size(), full.facts.name, options.compare.string()));
  }
  try {
    return attention_findings(ablation, record, options.line_tokens, options.neighbourhood);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", options.compare.string(), error.what()));
  }
}

std::string compare_result(const AblationResult& result,
                           const std::vector<AttentionFinding>& findings,
                           const std::string& stem) {
  const RoleComparison comparison = role_comparison(result, findings);
  fmt::print("\n{}", console_table(comparison.correlations, console_style()));
  write_file_atomically(stem + "_compared.csv", csv_table(comparison.things));
  write_file_atomically(stem + "_correlations.csv", csv_table(comparison.correlations));
  return fmt::format("{0}_compared.csv\n{0}_correlations.csv\n", stem);
}

}  // namespace

int attention_ablate_command(const ConfigArguments& arguments,
                             const AttentionAblateOptions& options,
                             const std::string& command_line) {
  check_arguments(arguments);
  const Metric metric = chosen_metric(options.metric);
  const std::string root = data_root().string();
  const auto components = component_registry(arguments);
  const ComposeRequest request = compose_request(arguments);
  const Point full = full_cache_point(request, root, components);
  const Ablation ablation(options.over, full.facts.cache, options.line_tokens);
  const std::vector<AttentionFinding> findings = findings_of(options, ablation, full);
  Sweep sweep{
      .list = list_points(
          request, grid_of(ablation, shared_overrides(full, ablation, metric, request.overrides)),
          root, PointIdentity::kHashed, components),
      .root = root,
      .command_line = command_line,
      .terminal = takes_escapes(STDERR_FILENO)};
  check_prompts(sweep.list.points, root);
  // A name of the ablation's own is no choice of a folder that another one's points belong to, too.
  sweep.list.folder_is_chosen =
      sets(arguments.overrides, "name") || sets(arguments.overrides, "hydra");
  const SweepFolder place = sweep_folder(sweep.list, /*multirun=*/true);
  sweep.folder = place.path;
  if (!place.note.empty()) say("{}", place.note);
  const SweepOutcome outcome = run_sweep(sweep);
  const int exit_code = say_outcome(outcome, sweep);
  if (outcome.interrupted || outcome.points_done == 0) return exit_code;
  const SweepSummary summary = summarise_sweep(sweep.folder);
  const AblationResult result = ablation_result(ablation, sweep.list.points, summary, metric);
  const std::string stem =
      (sweep.folder / "report" / fmt::format("ablation_{}_{}", ablation.stem(), metric.name))
          .string();
  std::string files = write_result(result, stem);
  if (!findings.empty()) files += compare_result(result, findings, stem);
  fmt::print("{}", files);
  for (const std::string& note : summary.notes) say("note: {}", note);
  write_late_metrics(summary.points);
  return exit_code;
}

}  // namespace kvscope
