#include "experiments/commands/plan.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/output_check.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/plan_details.h"
#include "experiments/commands/plan_figures.h"
#include "experiments/commands/plan_memory.h"
#include "experiments/commands/plan_table.h"
#include "experiments/commands/results/paper_memory.h"
#include "experiments/commands/show_config.h"
#include "experiments/commands/table_json.h"
#include "experiments/launch/launcher.h"
#include "experiments/sweep/point_survey.h"
#include "experiments/sweep/sweep_folder.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

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

/// Points keep their plans where something draws or tells every step of them.
bool needs_plans(const PlanOptions& options, const ConfigArguments& arguments) {
  return !arguments.multirun || options.details || options.every_head || !options.maps.empty() ||
         !options.curves.empty();
}

PointList planned_points(const ConfigArguments& arguments,
                         const PlanOptions& options,
                         PlanSurvey& survey) {
  const std::string root = data_root().string();
  if (!arguments.multirun && !options.json) {  // nothing is said of its hash: no weights are read
    PointList list = list_points(compose_request(arguments), root, PointIdentity::kNone,
                                 component_registry(arguments));
    survey.add(list.points.front());
    return list;
  }
  const bool keeps_plans = needs_plans(options, arguments);
  return survey_points(compose_request(arguments), root, component_registry(arguments),
                       [&](Point& point) {
                         survey.add(point);
                         if (!keeps_plans) drop_plan(point);
                       })
      .list;
}

/// Whether the launcher can do with its settings, and what its scheduler, if it has one, says of
/// such jobs. Nothing is submitted.
void ask_launcher(const PointList& list, const std::filesystem::path& folder) {
  const LaunchSettings& settings = list.points.front().launch;
  const auto launcher = chosen_launcher(
      {.settings = settings, .workers = settings.workers.value_or(1), .folder = folder});
  if (const std::string verdict = launcher->verdict(); !verdict.empty()) say("{}", verdict);
}

/// The options of what is planned and drawn, as they were typed.
std::vector<std::string> typed_options(const PlanOptions& options) {
  std::vector<std::string> typed;
  if (!options.fits.empty()) typed.emplace_back("--fits");
  if (!options.maps.empty()) typed.emplace_back("--map");
  if (!options.curves.empty()) typed.emplace_back("--curve");
  if (options.details) typed.emplace_back("--details");
  if (options.every_head) typed.emplace_back("--full");
  return typed;
}

}  // namespace

int plan_command(const ConfigArguments& arguments, const PlanOptions& options) {
  std::optional<double> limit_bytes;
  if (!options.fits.empty()) limit_bytes = memory_limit(options.fits);
  check_figures(options);
  if (is_paper_memory(arguments)) {
    refuse_for_paper_memory(typed_options(options));
    const Table table = paper_memory(arguments).table;
    if (options.json) {
      print_json({{"table", table_json(table)}});
    } else {
      fmt::print("{}", console_table(table, console_style()));
    }
    return 0;
  }
  PlanSurvey survey(limit_bytes);
  const PointList list = planned_points(arguments, options, survey);
  check_one_point(list.points, options);
  say_notes(list);
  for (const std::string& message : list.infeasible) {
    say("left out: {}", message);
  }
  const auto folder = [&] { return sweep_folder(list, arguments.multirun).path; };
  if (options.json) {
    print_json(survey.json(list, folder()));
  } else {
    if (!arguments.multirun || options.details || options.every_head) {
      for (const Point& point : list.points) {
        fmt::print("{}\n", plan_text(point, limit_bytes, options.every_head));
      }
    }
    if (arguments.multirun) fmt::print("{}", survey.text(list, folder()));
  }
  write_figures(list.points, options);
  if (arguments.multirun) ask_launcher(list, folder());
  return survey.all_fit(list) ? 0 : 1;
}

void register_plan(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto options = std::make_shared<PlanOptions>();
  const auto shown = std::make_shared<ShownConfig>();
  const auto act = [=, typed = registrar.typed()] {
    std::vector<std::string> acts = typed_options(*options);
    if (options->json) acts.emplace_back("--json");
    check_shown(*shown, acts, typed);
    return shown->is_asked() ? show_config_command(*config, *shown)
                             : plan_command(*config, *options);
  };
  CLI::App& command = registrar.add("plan", "tokens and bytes of a run, without running it", act);
  add_config_options(command, *config);
  add_show_options(command, *shown);
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
  command.add_flag("--details", options->details,
                   "of a sweep, what is said of a single point, of every one");
  add_json_flag(command, options->json);
  command.add_flag("--full", options->every_head, "tokens of every (step, layer, head)");
}

}  // namespace kvscope
