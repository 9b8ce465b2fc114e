#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/override.h"
#include "core/config/sweep.h"
#include "experiments/sweep/config_value.h"
#include "experiments/sweep/full_cache.h"
#include "experiments/sweep/metric_settings.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/point_maker.h"
#include "experiments/sweep/point_survey.h"
#include "experiments/sweep/recipe_settings.h"
#include "policies/profiles/remembered_profiles.h"

namespace kvscope {
namespace {

/// Makes `point` ask for all that it and `same`, an equal point, ask for.
void ask_for_both(Point& point, const Point& same) {
  const auto take = [&](const char* key) {
    set_config_value(point.config, key, same.config.find(key));
  };
  if (same.prompts.size() > point.prompts.size()) {
    point.prompts = same.prompts;
    take("gen.images");
  }
  if (same.generation.replicas > point.generation.replicas) {
    point.generation.replicas = same.generation.replicas;
    take("gen.replicas");
  }
  for (const std::string& metric : same.metrics) {
    if (std::ranges::find(point.metrics, metric) == point.metrics.end()) {
      point.metrics.push_back(metric);
    }
  }
  const ConfigNode list = ConfigNode::list({point.metrics.begin(), point.metrics.end()});
  set_config_value(point.config, "metrics.list", &list);
  for (const MetricInput& input : all_metric_inputs()) {
    const std::string key = "metrics." + input.key;
    const ConfigNode* given = same.config.find(key);
    if (given != nullptr && point.config.find(key) == nullptr) point.config.set_path(key, *given);
  }
  point.metric_origins.insert(same.metric_origins.begin(), same.metric_origins.end());
}

/// Where two points agree in this text, they are the same run.
std::string identity_text(const Point& point) {
  return point.hash.empty() ? canonical_json(point.config) : point.hash;
}

/// The points of a model together, its full cache first; models and the rest as they came.
void order(std::vector<Point>& points) {
  std::map<std::string, size_t> models;
  std::vector<std::pair<std::pair<size_t, bool>, size_t>> ranks;  // and the place
  ranks.reserve(points.size());
  for (const Point& point : points) {
    const auto model =
        models.emplace(canonical_json(point.config.at("model")), models.size()).first;
    ranks.push_back({{model->second, !point.full_cache}, ranks.size()});
  }
  std::ranges::sort(ranks);
  std::vector<Point> ordered;
  ordered.reserve(points.size());
  for (const auto& [rank, place] : ranks) ordered.push_back(std::move(points[place]));
  points = std::move(ordered);
}

/// PointList::notes of a point; `swept_keys`: what its configuration would sweep.
std::vector<std::string> notes_of(const Point& point, std::vector<std::string> swept_keys) {
  std::vector<std::string> notes;
  bool has_budget = false;
  for (const std::string& input : point.overrides) {
    const std::string key = parse_override(input).key;
    std::erase(swept_keys, key);
    has_budget = has_budget || key == "budget" || key.starts_with("budget.");
  }
  if (!swept_keys.empty()) {
    notes.push_back(
        fmt::format("one point; its configuration defines a sweep over {}, which "
                    "kvscope run -m makes",
                    fmt::join(swept_keys, " and ")));
  }
  if (has_budget && keeps_everything(point.config.at("policy"))) {
    notes.push_back(fmt::format("policy {} keeps everything; the budget does not matter",
                                point.config.at("policy.name").as_string()));
  }
  return notes;
}

/// Where files are missing, a note says so, and the point stays without a hash.
void identify_if_there(PointMaker& maker, Point& point, std::vector<std::string>& notes) {
  try {
    maker.identify(point);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    point.hash.clear();
    const std::string note =
        fmt::format("points of {} have no hash here: {}", point.facts.name, error.what());
    if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
  }
}

/// Says in what points depart from the recipes that they name, each once.
void note_departures(const std::vector<Point>& points, std::vector<std::string>& notes) {
  for (const Point& point : points) {
    const RecipeSettings recipe = recipe_settings(point.config);
    if (recipe.departures.empty()) continue;
    const std::string note = "recipe " + recipe_title(recipe);
    if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
  }
}

/// A sweep has one launcher: Hydra, where points name others, goes by the first and says nothing.
void require_one_launcher(const std::vector<Point>& points) {
  const auto& first = points.front().launch.launcher;
  const auto other = std::ranges::find_if(
      points, [&](const Point& point) { return point.launch.launcher != first; });
  if (other == points.end()) return;
  const auto name = [](const std::optional<std::string>& launcher) {
    return launcher ? "launcher=" + *launcher : std::string("launcher=null");
  };
  throw Error(ErrorKind::kConfig,
              fmt::format("points of this sweep differ in their launcher, {} and {}; one launcher "
                          "makes all of them: name it outside of what is swept, as {} on the "
                          "command line",
                          name(first), name(other->launch.launcher), name(other->launch.launcher)));
}

using Grid = std::vector<std::vector<std::string>>;

enum class Identify { kNever, kIfThere, kAlways };

PointSurvey points_of_grid(const ComposeRequest& request,
                           const Grid& grid,
                           const std::string& root,
                           Identify identify,
                           std::shared_ptr<const ComponentRegistry> components,
                           const PointVisitor& visit) {
  if (grid.empty()) {
    throw Error(ErrorKind::kConfig, "the sweep has no points: a range or glob in it is empty");
  }
  const RememberedProfiles profiles;
  PointMaker maker(request, root, std::move(components));
  PointList list;
  std::vector<Point> points;
  for (size_t i = 0; i < grid.size(); ++i) {
    try {
      points.push_back(maker.make(grid[i], list));
      if (visit) visit(points.back());
    } catch (const PointLeftOut& left_out) {
      list.infeasible.push_back(fmt::format("{}: {}", fmt::join(grid[i], " "), left_out.message));
    } catch (const Error& error) {
      if (grid.size() == 1) throw;
      throw Error(error.kind(), fmt::format("point {} of {} ({}): {}", i + 1, grid.size(),
                                            fmt::join(grid[i], " "), error.what()));
    }
  }
  maker.judge_overrides();
  if (points.empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("no point of this sweep is left; {}", list.infeasible.front()));
  }
  require_one_launcher(points);
  if (!request.multirun) list.notes = notes_of(points.front(), maker.swept_keys());
  note_departures(points, list.notes);
  // Only now are files read: a typo in the last point is found before gigabytes of the first.
  std::map<std::string, size_t> seen;
  for (Point& point : points) {
    if (identify == Identify::kAlways) maker.identify(point);
    if (identify == Identify::kIfThere) identify_if_there(maker, point, list.notes);
    const auto [found, is_new] = seen.emplace(identity_text(point), list.points.size());
    if (is_new) {
      list.points.push_back(std::move(point));
    } else {
      ask_for_both(list.points[found->second], point);
      ++list.duplicates;
    }
  }
  order(list.points);
  return {.list = std::move(list), .plans_made = maker.plans_made()};
}

/// The points of a request, and of `repeats` in later blocks why they are left out.
Grid grid_of(const ComposeRequest& request, std::vector<std::string>& repeats) {
  Grid grid = request.multirun ? expand_sweep(request, &repeats) : Grid{request.overrides};
  for (std::string& repeat : repeats) {
    repeat += ": an earlier block of hydra.sweeper.blocks makes it";
  }
  return grid;
}

void append(std::vector<std::string>& messages, const std::vector<std::string>& more) {
  messages.insert(messages.end(), more.begin(), more.end());
}

Identify as_asked(PointIdentity identity) {
  return identity == PointIdentity::kHashed ? Identify::kAlways : Identify::kNever;
}

}  // namespace

PointList list_points(const ComposeRequest& request,
                      const std::string& root,
                      PointIdentity identity,
                      std::shared_ptr<const ComponentRegistry> components) {
  std::vector<std::string> repeats;
  const Grid grid = grid_of(request, repeats);
  PointList list =
      points_of_grid(request, grid, root, as_asked(identity), std::move(components), {}).list;
  append(list.infeasible, repeats);
  return list;
}

PointList list_points(ComposeRequest request,
                      const std::vector<std::vector<std::string>>& grid,
                      const std::string& root,
                      PointIdentity identity,
                      std::shared_ptr<const ComponentRegistry> components) {
  request.multirun = true;
  return points_of_grid(request, grid, root, as_asked(identity), std::move(components), {}).list;
}

PointList points_of_configs(std::vector<SettledConfig> configs,
                            const std::string& root,
                            std::shared_ptr<const ComponentRegistry> components) {
  const ComposeRequest request;
  PointMaker maker(request, root, std::move(components));
  PointList list;
  for (SettledConfig& config : configs) {
    list.points.push_back(maker.make(std::move(config)));
    maker.identify(list.points.back());
  }
  return list;
}

PointSurvey survey_points(const ComposeRequest& request,
                          const std::string& root,
                          std::shared_ptr<const ComponentRegistry> components,
                          const PointVisitor& visit) {
  std::vector<std::string> repeats;
  const Grid grid = grid_of(request, repeats);
  PointSurvey survey =
      points_of_grid(request, grid, root, Identify::kIfThere, std::move(components), visit);
  append(survey.list.infeasible, repeats);
  return survey;
}

}  // namespace kvscope
