#include "experiments/commands/plan_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "core/base/byte_size.h"
#include "core/base/mebibytes.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/override.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/plan_memory.h"
#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"
#include "experiments/sweep/progress.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;
using Settings = std::map<std::string, std::string>;

/// What the command line says of each point beside policy and budget, which have their own columns.
std::vector<Settings> settings_of(const std::vector<Point>& points) {
  std::vector<Settings> all;
  all.reserve(points.size());
  for (const Point& point : points) {
    Settings settings;
    for (const std::string& text : point.overrides) {
      const std::string key = parse_override(text).key;
      const bool is_shown = !key.starts_with("hydra") && key != "policy" && key != "budget" &&
                            !key.starts_with("policy.") && !key.starts_with("budget.");
      if (is_shown) settings[key] = text.substr(std::min(text.find('=') + 1, text.size()));
    }
    all.push_back(std::move(settings));
  }
  return all;
}

/// Keys that not all points have, or not with one value.
std::vector<std::string> differing_keys(const std::vector<Settings>& all) {
  std::set<std::string> keys;
  for (const Settings& one : all) {
    for (const auto& [key, value] : one) {
      const auto first = all.front().find(key);
      if (first == all.front().end() || first->second != value) keys.insert(key);
    }
    for (const auto& [key, value] : all.front()) {
      if (!one.contains(key)) keys.insert(key);
    }
  }
  return {keys.begin(), keys.end()};
}

std::string value_of(const Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? "" : found->second;
}

/// Seconds that a point still takes; 0 where nothing like it was made yet.
double seconds_left(const Point& point, const PointStanding& standing) {
  if (standing.state == PointState::kDone) return 0;
  return standing.image_s * static_cast<double>(point.images() - standing.images_there);
}

std::vector<PointStanding> standings_of(const PointList& list,
                                        const std::filesystem::path& folder) {
  const KnownPoints known(folder);
  std::vector<PointStanding> standings;
  standings.reserve(list.points.size());
  for (const Point& point : list.points) standings.push_back(known.standing(point));
  return standings;
}

std::string headline(const PointList& list, const std::vector<PointStanding>& standings) {
  std::map<std::string, int64_t> counts;
  double seconds = 0;
  for (size_t i = 0; i < standings.size(); ++i) {
    const std::string& text = standings[i].state_text;
    ++counts[text.substr(0, text.find(' '))];
    seconds += seconds_left(list.points[i], standings[i]);
  }
  std::string text = fmt::format("{} points", list.points.size());
  if (list.duplicates > 0) text += fmt::format(", {} duplicates left out", list.duplicates);
  for (const auto& [state, count] : counts) text += fmt::format(", {} {}", count, state);
  if (seconds > 0)
    text += fmt::format("; about {} by what similar points took", duration_text(seconds));
  return text + "\n";
}

TableColumn words(const std::string& header, Importance importance) {
  return {.header = header, .align = Align::kLeft, .importance = importance};
}

TableColumn numbers(const std::string& header,
                    const std::string& unit,
                    int decimals,
                    Importance importance) {
  return {.header = header, .unit = unit, .decimals = decimals, .importance = importance};
}

}  // namespace

void PlanSurvey::add(const Point& point) {
  const int64_t rows = point.generation.rows(point.generation.batch);
  const auto last = static_cast<int64_t>(point.plan.geometry().steps.size()) - 1;
  const PointMemory memory = point_memory(point, point.generation.batch);
  Numbers numbers{.kept_tokens = point.kept_tokens(),
                  .full_tokens = point.full_tokens(),
                  .kv_bytes = point.plan.live_bytes(last, rows),
                  .arena_bytes = memory.arena_bytes,
                  .total_bytes = memory.total_bytes()};
  if (limit_bytes_) {
    numbers.fits = memory.fits(*limit_bytes_);
    numbers.fit = fit_cell(memory, *limit_bytes_);
  }
  numbers_.insert_or_assign(point.overrides, std::move(numbers));
}

const PlanSurvey::Numbers& PlanSurvey::of(const Point& point) const {
  return numbers_.at(point.overrides);
}

std::string PlanSurvey::text(const PointList& list, const std::filesystem::path& folder) const {
  const std::vector<PointStanding> standings = standings_of(list, folder);
  const std::vector<Settings> settings = settings_of(list.points);
  const std::vector<std::string> keys = differing_keys(settings);
  const bool times = std::ranges::any_of(
      standings, [](const PointStanding& standing) { return standing.image_s > 0; });
  Table table;
  table.columns = {words("policy", Importance::kRow), words("budget", Importance::kRow)};
  for (const std::string& key : keys) table.columns.push_back(words(key, Importance::kRow));
  // What was asked for stays the longest.
  if (limit_bytes_) table.columns.push_back(words("fits", Importance::kHeadline));
  table.columns.push_back(words("hash", Importance::kHeadline));
  table.columns.push_back(words("state", Importance::kHeadline));
  table.columns.push_back(numbers("KV", "MiB", 2, Importance::kHeadline));
  table.columns.push_back(numbers("total", "GiB", 2, Importance::kHeadline));
  if (times) table.columns.push_back(words("time, about", Importance::kHeadline));
  table.columns.push_back(numbers("tokens per head", "", 1, Importance::kDetail));
  table.columns.push_back(words("why", Importance::kDetail));
  table.columns.push_back(numbers("KV bytes", "", 0, Importance::kBookkeeping));
  table.columns.push_back(numbers("arena bytes", "", 0, Importance::kBookkeeping));
  for (size_t i = 0; i < list.points.size(); ++i) {
    const Point& point = list.points[i];
    const PointStanding& standing = standings[i];
    const Numbers& number = of(point);
    TableRow row;
    const auto add_text = [&](const std::string& text) {
      row.cells.push_back(TableCell::text(printable(text)));
    };
    const auto add_number = [&](double value) { row.cells.push_back(TableCell::number(value)); };
    add_text(point.label("policy"));
    add_text(point.label("budget"));
    for (const std::string& key : keys) add_text(value_of(settings[i], key));
    if (limit_bytes_) add_text(number.fit);
    add_text(short_hash(point.hash));
    add_text(standing.state_text);
    add_number(mebibytes(number.kv_bytes));
    add_number(mebibytes(number.total_bytes) / 1024);
    if (times) {
      const double seconds = seconds_left(point, standing);
      add_text(seconds > 0 ? duration_text(seconds) : "");
    }
    add_number(number.kept_tokens);
    add_text(standing.reason);
    add_number(static_cast<double>(number.kv_bytes));
    add_number(static_cast<double>(number.arena_bytes));
    table.rows.push_back(std::move(row));
  }
  return console_table(table, console_style()) + headline(list, standings) + fit_line(list);
}

std::string PlanSurvey::fit_line(const PointList& list) const {
  if (!limit_bytes_) return "";
  const auto too_large =
      std::ranges::count_if(list.points, [&](const Point& point) { return !of(point).fits; });
  const std::string limit = exact_bytes_text(*limit_bytes_);
  if (too_large == 0) return fmt::format("all fit {}\n", limit);
  return fmt::format("{} of {} do not fit {}\n", too_large, list.points.size(), limit);
}

ordered_json PlanSurvey::json(const PointList& list, const std::filesystem::path& folder) const {
  const std::vector<PointStanding> standings = standings_of(list, folder);
  const std::vector<Settings> settings = settings_of(list.points);
  ordered_json points = ordered_json::array();
  for (size_t i = 0; i < list.points.size(); ++i) {
    const Point& point = list.points[i];
    const PointStanding& standing = standings[i];
    const Numbers& number = of(point);
    ordered_json one{{"model", point.label("model")},
                     {"policy", point.label("policy")},
                     {"budget", point.label("budget")},
                     {"settings", settings[i]},
                     {"overrides", point.overrides},
                     {"hash", point.hash.empty() ? ordered_json() : ordered_json(point.hash)},
                     {"state", standing.state_text.substr(0, standing.state_text.find(' '))},
                     {"images", point.images()},
                     {"images_there", standing.images_there},
                     {"why", standing.reason},
                     {"tokens_per_head", number.kept_tokens},
                     {"full_tokens_per_head", number.full_tokens},
                     {"batch", point.generation.batch},
                     {"kv_bytes", number.kv_bytes},
                     {"arena_bytes", number.arena_bytes},
                     {"total_bytes", number.total_bytes}};
    if (limit_bytes_) one["fits"] = number.fits;
    const double seconds = seconds_left(point, standing);
    one["predicted_s"] = seconds > 0 ? ordered_json(seconds) : ordered_json();
    points.push_back(std::move(one));
  }
  return {{"folder", folder.string()},
          {"duplicates", list.duplicates},
          {"infeasible", list.infeasible},
          {"points", std::move(points)}};
}

bool PlanSurvey::all_fit(const PointList& list) const {
  return std::ranges::all_of(list.points, [&](const Point& point) { return of(point).fits; });
}

void drop_plan(Point& point) {
  point.plan = Plan();
  point.facts.cache.steps = {};
}

}  // namespace kvscope
