#include "experiments/commands/results/leaderboard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/metrics/registry.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/page_sections.h"
#include "experiments/report/page.h"
#include "experiments/report/text.h"
#include "experiments/results/leaderboard.h"
#include "experiments/results/page/points_payload.h"
#include "experiments/results/page/rankings_payload.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

constexpr int64_t kShownPrompts = 4;

/// By hypervolume, of the metric of that name or the first that a group has.
std::vector<Table> shown_rankings(const SweepSummary& sweep, const std::string& metric) {
  std::vector<Table> tables;
  const std::vector<Metric> metrics = shown_metrics(sweep);
  for (const ComparableGroup& group : comparable_groups(sweep.points)) {
    const std::vector<Ranking> all = rankings(sweep, group);
    const auto shown = std::ranges::find_if(all, [&](const Ranking& ranking) {
      return ranking.budget.empty() && (metric.empty() || metrics[ranking.metric].name == metric);
    });
    if (shown != all.end()) tables.push_back(ranking_table(sweep, group, *shown));
  }
  if (tables.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("nothing to rank: no point but full caches has a {}",
                                               metric.empty() ? "metric" : metric));
  }
  return tables;
}

ReportSection left_out_section(const std::vector<LeftOut>& left_out) {
  ReportSection section{.title = "Left out", .id = "left-out"};
  if (left_out.empty()) section.blocks.emplace_back(Paragraph{"Nothing."});
  Table table;
  table.columns = {{.header = "folder", .align = Align::kLeft},
                   {.header = "why", .align = Align::kLeft}};
  for (const LeftOut& one : left_out) {
    table.rows.push_back(
        {.cells = {TableCell::text(one.folder.string()), TableCell::text(one.reason)}});
  }
  if (!left_out.empty()) section.blocks.emplace_back(std::move(table));
  return section;
}

nlohmann::json left_out_json(const std::vector<LeftOut>& left_out) {
  nlohmann::json all = nlohmann::json::array();
  for (const LeftOut& one : left_out) {
    all.push_back({{"folder", printable(one.folder.string())}, {"reason", printable(one.reason)}});
  }
  return all;
}

/// Says which folders and how many points.
std::string subtitle_of(const SweepSummary& sweep) {
  std::set<std::filesystem::path> folders;
  for (const PointSummary& point : sweep.points) {
    folders.insert(point.folder.parent_path().parent_path());
  }
  return fmt::format(
      "{} finished points of {} {}. Only points of the same model, settings, prompts "
      "and seeds are ranked against each other.",
      sweep.points.size(), folders.size(), folders.size() == 1 ? "folder" : "folders");
}

ReportPage page_of(const LeaderboardOptions& options,
                   const Submissions& all,
                   std::vector<Table> tables) {
  const SweepSummary& sweep = all.points;
  ReportPage page;
  page.title = options.title;
  page.subtitle = subtitle_of(sweep);
  page.provenance = page_provenance(sweep);
  for (const PointSummary& point : sweep.points) {
    page.points.push_back(short_hash(point.point()));
  }
  ReportSection ranking{.title = "Ranking", .id = "ranking"};
  for (Table& table : tables) ranking.blocks.emplace_back(std::move(table));
  const std::vector<SweepSummary> models = by_model(sweep);
  page.sections = {std::move(ranking), plot_section(models), table_section(sweep),
                   image_section(models, kShownPrompts), left_out_section(all.left_out)};
  nlohmann::json data = nlohmann::json::parse(points_payload(sweep));
  data["rankings"] = rankings_json(sweep);
  page.data = data.dump();
  return page;
}

}  // namespace

int leaderboard_command(const LeaderboardOptions& options) {
  if (!options.metric.empty()) metric_named(options.metric);  // a typo before anything is read
  const Submissions all = read_submissions(options.folders);
  const std::vector<Table> tables = shown_rankings(all.points, options.metric);
  write_page(options.to, page_of(options, all, tables));
  if (options.json) {
    nlohmann::json metrics = nlohmann::json::array();
    for (const Metric& metric : shown_metrics(all.points)) metrics.push_back(metric.name);
    nlohmann::json groups = nlohmann::json::array();
    for (const ComparableGroup& group : comparable_groups(all.points.points)) {
      groups.push_back(printable(group.name));
    }
    const nlohmann::json answer = {{"page", printable(options.to.string())},
                                   {"groups", groups},
                                   {"metrics", metrics},
                                   {"rankings", rankings_json(all.points)},
                                   {"left_out", left_out_json(all.left_out)}};
    fmt::print("{}\n", answer.dump(2));
    return 0;
  }
  for (const Table& table : tables) fmt::print("{}\n", console_table(table, console_style()));
  for (const LeftOut& one : all.left_out) {
    say("left out: {}: {}", one.folder.string(), one.reason);
  }
  fmt::print("{}\n", options.to.string());
  return 0;
}

void register_leaderboard(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<LeaderboardOptions>();
  CLI::App& command =
      registrar.add("leaderboard", "policies of several folders, ranked, as one page",
                    [options] { return leaderboard_command(*options); });
  command.add_option("folders", options->folders, "results folders")->required();
  command.add_option("--to", options->to, "the page; leaderboard.html unless said otherwise");
  command
      .add_option("--metric", options->metric,
                  fmt::format("that is shown first: {}", fmt::join(metric_names(), ", ")))
      ->type_name("METRIC");
  command.add_option("--title", options->title, "title of the page");
  command.add_flag("--json", options->json, "print all rankings as JSON");
}

}  // namespace kvscope
