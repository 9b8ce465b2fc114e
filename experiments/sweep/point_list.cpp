#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "analysis/metrics/registry.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/override.h"
#include "core/config/path.h"
#include "core/config/sweep.h"
#include "core/config/sweep_blocks.h"
#include "core/config/sweep_filter.h"
#include "core/device/device.h"
#include "experiments/sweep/config_paths.h"
#include "experiments/sweep/config_value.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/full_cache.h"
#include "experiments/sweep/known_keys.h"
#include "experiments/sweep/metric_settings.h"
#include "experiments/sweep/misspelt_keys.h"
#include "experiments/sweep/override_judge.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/point_survey.h"
#include "experiments/sweep/prompt_files.h"
#include "experiments/sweep/recipe_settings.h"
#include "experiments/sweep/run_keys.h"
#include "policies/old_spellings.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

/// Changes whenever equal configs would give other results.
constexpr const char* kResultsVersion = "2";

/// "snapkv", or "snapkv (score.window=8)" where the command line changed a slot.
std::string policy_text(const ConfigNode& config, const std::vector<std::string>& overrides) {
  std::string changes;
  for (const std::string& text : overrides) {
    const Override override = parse_override(text);
    if (!override.key.starts_with("policy.")) continue;
    changes += (changes.empty() ? "" : ", ") + text.substr(text.find("policy.") + 7);
  }
  const std::string& name = config.at("policy.name").as_string();
  return changes.empty() ? name : fmt::format("{} ({})", name, changes);
}

/// Caches the last scale too, which nothing reads, as released code does.
void store_last_scale(CacheGeometry& geometry) {
  if (geometry.steps.back().kind != StepKind::kScale) {
    throw Error(ErrorKind::kConfig,
                "gen.store_last_scale: a next-token model never feeds its last token; for "
                "next-scale models only");
  }
  geometry.steps.back().stored = true;
}

using Digests = std::vector<std::pair<std::string, std::string>>;
Digests with_prompts(Digests digests, const std::string& prompts) {
  digests.emplace_back("prompts", prompts);
  return digests;
}

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

/// Whether a name of the results was given, rather than taken from the model.
bool chooses_folder(const ConfigNode& config, const std::vector<std::string>& overrides) {
  const ConfigNode* name = config.child("name");
  const ConfigNode* model = config.find("model.name");
  if (name != nullptr && (model == nullptr || !(*name == *model))) return true;
  return std::ranges::any_of(overrides, [](const std::string& text) {
    const std::string key = parse_override(text).key;
    return key == "name" || key.starts_with("hydra.");
  });
}

/// Plug-ins that the point's policy has components of: another build of one may give other results.
std::set<std::string> used_libraries(const Point& point) {
  std::set<std::string> libraries;
  for (const ChosenComponent& chosen :
       chosen_components(point.config.at("policy"), *point.components)) {
    if (!chosen.info.library.empty()) libraries.insert(chosen.info.library);
  }
  return libraries;
}

/// Why a sweep goes on without a point.
struct LeftOut {
  std::string message;
};

PlannedBudget new_plan(const Point& point, int64_t image_rows) {
  try {
    return point.policy()->plan_budget(point.facts.cache, point.budget, image_rows);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConfig || !point.launch.skip_infeasible) throw;
    throw LeftOut{error.what()};
  }
}

/// Composes and checks single points; keeps what they share.
class PointMaker {
 public:
  PointMaker(const ComposeRequest& request,
             std::string root,
             std::shared_ptr<const ComponentRegistry> components)
      : request_(request),
        root_(std::move(root)),
        components_(std::move(components)),
        repository_(request.folders),
        judge_(request.multirun) {}

  Point make(const std::vector<std::string>& overrides, PointList& list) {
    ComposeRequest request = request_;
    request.overrides = overrides;
    Composition composition = judge_.compose(request, repository_, *components_);
    if (list.results_folder.empty()) {
      const char* folder = request_.multirun ? "sweep.dir" : "run.dir";
      list.results_folder = composition.hydra.at(folder).as_string();
      list.folder_is_chosen = chooses_folder(composition.config, overrides);
    }
    check_sweeper(composition.hydra);
    if (request_.multirun) leave_out_filtered(composition);
    const std::vector<SweeperParameter> swept = kvscope::swept_keys(composition.hydra);
    swept_keys_.clear();
    for (const SweeperParameter& key : swept) swept_keys_.push_back(key.input);
    say_where_swept(swept, composition.config);
    settle_paths(composition.config, root_);
    return make({.config = std::move(composition.config), .overrides = request.overrides});
  }

  Point make(SettledConfig settled) {
    Point point;
    point.overrides = std::move(settled.overrides);
    point.config = std::move(settled.config);
    check_groups(point.config);
    refuse_misspelt_keys(point.config);
    update_policy(point.config);
    check_config(point.config, ConfigUse::kRun, *components_, groups_);
    read_groups(point);
    const bool keeps_all = keeps_everything(point.config.at("policy"));
    point.full_cache = is_full_cache(point.config.at("policy"));
    point.facts = facts_of(point);
    settle_device(point.config);
    point.generation = generation_settings(point.config, point.facts);
    if (point.generation.store_last_scale) store_last_scale(point.facts.cache);
    // A policy that keeps everything has no use for a budget, but an impossible one is still a
    // typo.
    point.budget = budget_from_config(point.config.at("budget"));
    const int64_t image_rows = point.generation.rows(1);
    resolved_tokens(point.budget, point.facts.cache, image_rows);
    if (keeps_all) point.budget = Budget{};  // so that all its points are one
    point.config.set("budget", budget_group(point.budget));
    point.prompt_files = prompt_files_;
    point.prompts = prompts_of(point.config, *prompt_files_);
    record_departures(point);
    point.components = components_;
    const PlanOfPoint& planned = plan_of(point, image_rows);
    point.policy_files = planned.policy_files;
    point.plan = planned.budget.plan;
    point.budget_tokens = planned.budget.tokens;
    point.target_tokens = planned.budget.target_tokens;
    point.labels = {{"model", point.facts.name},
                    {"policy", policy_text(point.config, point.overrides)},
                    {"budget", budget_text(point.budget)},
                    {"seed", fmt::format("{}", point.generation.seed)}};
    return point;
  }

  /// What the last composed config defines as its sweep, in order.
  [[nodiscard]] const std::vector<std::string>& swept_keys() const { return swept_keys_; }

  [[nodiscard]] int64_t plans_made() const { return plans_made_; }

  /// When all points are made: refuses overrides that none of them reads.
  void judge_overrides() const { judge_.finish(); }

  /// Reads what the hash is taken over: weights and prompts.
  void identify(Point& point) {
    point.model_digests = model_digests(point.config.at("model"), root_, files_);
    point.digested_files = files_.files();
    point.metric_origins = metric_origins(point.metrics, metric_inputs_of(point.config), files_);
    Digests of_model = point.model_digests;
    of_model.emplace_back(kResultsVersionKey, kResultsVersion);
    point.digests = of_model;  // the reference needs no plug-in and no file of a policy
    for (auto& digest : policy_digests(point.policy_files, files_)) {
      point.digests.push_back(std::move(digest));
    }
    for (const std::string& library : used_libraries(point)) {
      point.digests.emplace_back("plugin", files_.of_file(library));
    }
    const std::vector<std::string> outside = keys_outside_hash(point.config);
    const std::string& prompts = source_digest(point);
    point.hash = point_digest(point.config, outside, with_prompts(point.digests, prompts));
    std::vector<std::string> outside_setting = outside;
    for (const char* key : {"prompts", "prompt"}) outside_setting.emplace_back(key);
    point.setting_hash = point_digest(point.config, outside_setting, point.digests);
    ConfigNode reference = point.config;
    if (const LoadedConfig* full = repository_.load("policy/full"); full && !point.full_cache) {
      reference.set("policy", full->body);
      reference.set("budget", budget_group(Budget{}));
    }
    // The full cache is its own reference, whatever it is made of.
    point.reference_hash = point.full_cache ? point.hash
                                            : point_digest(reference, keys_outside_hash(reference),
                                                           with_prompts(of_model, prompts));
    point.labels.emplace_back("reference", point.reference_hash.substr(0, 12));
  }

 private:
  /// What a configuration's own sweep set was written in that configuration: paths are relative to
  /// its folder.
  void say_where_swept(const std::vector<SweeperParameter>& swept, ConfigNode& config) const {
    for (const SweeperParameter& parameter : swept) {
      const std::string& key = parameter.input;
      const auto is_typed = [&](const std::string& text) {
        return sets_key(parse_override(text), key);
      };
      if (std::ranges::any_of(request_.overrides, is_typed)) continue;
      ConfigNode* node = config.find(key);
      if (node == nullptr || !from_command_line(node->origin())) continue;
      node->set_origin_below(parameter.origin);
    }
  }

  static bool sets_key(const Override& override, const std::string& key) {
    return override.key == key || std::ranges::any_of(override.zipped, [&](const Override& member) {
             return member.key == key;
           });
  }

  /// Throws LeftOut where hydra.sweeper.filter says so.
  void leave_out_filtered(const Composition& composition) const {
    const auto why = filtered_out(composition, unlisted_keys(composition.config, *components_));
    if (why) throw LeftOut{*why};
  }

  /// Before the readers of single groups, who know their own keys alone.
  void refuse_misspelt_keys(const ConfigNode& config) const {
    std::vector<std::string> findings;
    for (const UnreadKey& one : misspelt_keys(config, *components_, groups_)) {
      findings.push_back(one.finding);
    }
    if (findings.empty()) return;
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }

  /// What a policy plans, and the files that it read for it.
  struct PlanOfPoint {
    PlannedBudget budget;
    std::vector<std::filesystem::path> policy_files;
  };

  /// The plan of a point, one for all of the same model, policy and budget. A few are kept: such
  /// points stand near each other, and a plan of hundreds of steps takes megabytes.
  const PlanOfPoint& plan_of(const Point& point, int64_t image_rows) {
    constexpr size_t kMostKept = 24;
    const std::string key = fmt::format(
        "{}{}{}{}{}", model_key_, canonical_json(point.config.at("policy")),
        canonical_json(point.config.at("budget")), image_rows, point.generation.store_last_scale);
    const auto found = plans_.find(key);
    if (found != plans_.end()) return found->second;
    if (plans_.size() >= kMostKept) plans_.clear();
    const OpenedFiles opened;
    PlannedBudget budget = new_plan(point, image_rows);
    ++plans_made_;
    return plans_.emplace(key, PlanOfPoint{std::move(budget), opened.files()}).first->second;
  }

  /// Of all prompts that the point's are the first ones of.
  const std::string& source_digest(const Point& point) {
    const ConfigNode* single = point.config.find("prompt");
    const std::string key = canonical_json(point.config.at("prompts")) +
                            (single == nullptr ? "" : canonical_json(*single));
    const auto found = source_digests_.find(key);
    if (found != source_digests_.end()) return found->second;
    return source_digests_
        .emplace(key, prompts_digest(source_prompts(point.config, *prompt_files_)))
        .first->second;
  }

  /// Those of the point's model; the models of a sweep are few.
  const ModelFacts& facts_of(const Point& point) {
    const ConfigNode& model = point.config.at("model");
    model_key_ = canonical_json(model);
    const auto found = facts_.find(model_key_);
    if (found != facts_.end()) return found->second;
    return facts_.emplace(model_key_, model_facts(model)).first->second;
  }

  /// In what the point departs from the recipe that it names.
  void record_departures(Point& point) {
    const std::string name = recipe_settings(point.config).name;
    if (name.empty()) return;
    const LoadedConfig* file = repository_.load("recipe/" + name);
    const std::vector<std::string> departures =
        recipe_departures(point.config, file == nullptr ? nullptr : &file->body, point.facts,
                          std::ssize(point.prompts));
    point.config.child("recipe")->set("departures",
                                      ConfigNode::list({departures.begin(), departures.end()}));
  }

  /// "auto" becomes what it stands for here, so that it is the same point as that.
  void settle_device(ConfigNode& config) {
    ConfigNode* device = config.child("device");
    if (device == nullptr || !device->is_string() || device->as_string() != "auto") return;
    if (auto_device_.empty()) auto_device_ = resolved_device("auto");
    const ConfigOrigin origin = device->origin();
    config.set("device", auto_device_).set_origin(origin);
  }

  /// What older policies say in another slot counts as if it stood where it belongs.
  void update_policy(ConfigNode& config) {
    const std::string advice = update_spelling(*config.child("policy"));
    if (!advice.empty() && said_.insert(advice).second) {
      spdlog::warn("{}; the old spelling is taken until 0.3", advice);
    }
  }

  static void read_groups(Point& point) {
    Options top("", point.config);
    point.launch = read_launch(top);
    Options metrics("metrics", point.config.at("metrics"));
    point.metrics = read_metrics(metrics);
    settle_metric_files(point.config, point.metrics);
    ConfigNode* list = point.config.find("metrics.list");
    if (list != nullptr && list->is_string()) {  // a list of one is the same point
      *list = ConfigNode::list({ConfigNode(*list)});
      list->label_paths("metrics.list");
    }
  }

  static void check_groups(const ConfigNode& config) {
    for (const char* group : {"model", "policy", "budget", "gen", "prompts", "metrics"}) {
      const ConfigNode* node = config.child(group);
      if (node != nullptr && node->is_map()) continue;
      throw Error(ErrorKind::kConfig,
                  fmt::format("the config has no '{}'; choose an option, such as {}=..., or start "
                              "from the default config",
                              group, group));
    }
  }

  const ComposeRequest& request_;
  std::string root_;
  std::shared_ptr<const ComponentRegistry> components_;
  ConfigRepository repository_;
  std::vector<std::string> groups_ = repository_.groups();
  OverrideJudge judge_;
  std::vector<std::string> swept_keys_;
  FileDigests files_;
  std::shared_ptr<PromptFiles> prompt_files_ = std::make_shared<PromptFiles>();
  std::map<std::string, PlanOfPoint> plans_;
  std::map<std::string, ModelFacts> facts_;  // by model_key_
  std::map<std::string, std::string> source_digests_;
  std::string model_key_;  // of the point that is being made
  int64_t plans_made_ = 0;
  std::string auto_device_;     // asked once
  std::set<std::string> said_;  // about spellings, once each
};

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
  PointMaker maker(request, root, std::move(components));
  PointList list;
  std::vector<Point> points;
  for (size_t i = 0; i < grid.size(); ++i) {
    try {
      points.push_back(maker.make(grid[i], list));
      if (visit) visit(points.back());
    } catch (const LeftOut& left_out) {
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
