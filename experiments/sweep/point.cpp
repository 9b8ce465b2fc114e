#include "experiments/sweep/point.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/override.h"
#include "core/config/path.h"
#include "core/config/sweep.h"
#include "core/device/device.h"
#include "experiments/sweep/config_paths.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/full_cache.h"
#include "experiments/sweep/override_judge.h"
#include "experiments/sweep/prompt_files.h"
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

/// Replaces the value of "GROUP.KEY", or takes it out.
void set_value(ConfigNode& config, const std::string& path, const ConfigNode* value) {
  const size_t dot = path.find('.');
  ConfigNode* group = config.child(path.substr(0, dot));
  if (group == nullptr) return;
  const std::string key = path.substr(dot + 1);
  if (value == nullptr) {
    group->erase(key);
  } else {
    group->set(key, *value);
  }
}

/// Makes `point` ask for all that it and `same`, an equal point, ask for.
void ask_for_both(Point& point, const Point& same) {
  const auto take = [&](const char* key) { set_value(point.config, key, same.config.find(key)); };
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
  set_value(point.config, "metrics.list", &list);
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

/// A budget that the point's policy cannot meet, where the sweep goes on without it.
struct Infeasible {
  std::string message;
};

PlannedBudget planned_budget(const Point& point, int64_t image_rows) {
  try {
    return point.policy()->plan_budget(point.facts.cache, point.budget, image_rows);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConfig || !point.launch.skip_infeasible) throw;
    throw Infeasible{error.what()};
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
    swept_keys_.clear();
    if (const ConfigNode* params = composition.hydra.find("sweeper.params");
        params != nullptr && params->is_map()) {
      for (const ConfigEntry& entry : params->entries()) swept_keys_.push_back(entry.name);
    }
    say_where_swept(composition);
    settle_paths(composition.config, root_);
    return make({.config = std::move(composition.config), .overrides = request.overrides});
  }

  Point make(SettledConfig settled) {
    Point point;
    point.overrides = std::move(settled.overrides);
    point.config = std::move(settled.config);
    check_groups(point.config);
    update_policy(point.config);
    check_config(point.config, ConfigUse::kRun);
    read_groups(point);
    const bool keeps_all = keeps_everything(point.config.at("policy"));
    point.full_cache = is_full_cache(point.config.at("policy"));
    point.facts = model_facts(point.config.at("model"));
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
    point.components = components_;
    const OpenedFiles opened;
    PlannedBudget planned = planned_budget(point, image_rows);
    point.policy_files = opened.files();
    point.plan = std::move(planned.plan);
    point.budget_tokens = planned.tokens;
    point.target_tokens = planned.target_tokens;
    point.labels = {{"model", point.facts.name},
                    {"policy", policy_text(point.config, point.overrides)},
                    {"budget", budget_text(point.budget)},
                    {"seed", fmt::format("{}", point.generation.seed)}};
    return point;
  }

  /// What the last composed config defines as its sweep, in order.
  [[nodiscard]] const std::vector<std::string>& swept_keys() const { return swept_keys_; }

  /// When all points are made: refuses overrides that none of them reads.
  void judge_overrides() const { judge_.finish(); }

  /// Reads what the hash is taken over: weights and prompts.
  void identify(Point& point) {
    point.model_digests = model_digests(point.config.at("model"), root_, files_);
    point.digested_files = files_.files();
    Digests of_model = point.model_digests;
    of_model.emplace_back("results_version", kResultsVersion);
    point.digests = of_model;  // the reference needs no plug-in and no file of a policy
    for (auto& digest : policy_digests(point.policy_files, files_)) {
      point.digests.push_back(std::move(digest));
    }
    for (const std::string& library : used_libraries(point)) {
      point.digests.emplace_back("plugin", files_.of_file(library));
    }
    const std::vector<std::string> outside = keys_outside_hash(point.config);
    const std::string prompts = prompts_digest(source_prompts(point.config, *prompt_files_));
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
  void say_where_swept(Composition& composition) const {
    const ConfigNode* params = composition.hydra.find("sweeper.params");
    if (params == nullptr || !params->is_map()) return;
    for (const ConfigEntry& entry : params->entries()) {
      const std::string key = entry.name.substr(entry.name.starts_with("+") ? 1 : 0);
      const auto is_same = [&](const std::string& text) { return parse_override(text).key == key; };
      if (key.empty() || std::ranges::any_of(request_.overrides, is_same)) continue;
      ConfigNode* node = composition.config.find(key);
      if (node == nullptr || !from_command_line(node->origin())) continue;
      node->set_origin_below(entry.value.origin());
    }
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
  OverrideJudge judge_;
  std::vector<std::string> swept_keys_;
  FileDigests files_;
  std::shared_ptr<PromptFiles> prompt_files_ = std::make_shared<PromptFiles>();
  std::string auto_device_;     // asked once
  std::set<std::string> said_;  // about spellings, once each
};

/// Where two points agree in this text, they are the same run.
std::string identity_text(const Point& point) {
  return point.hash.empty() ? canonical_json(point.config) : point.hash;
}

void order(std::vector<Point>& points) {
  std::vector<std::string> models;
  for (const Point& point : points) {
    const std::string model = canonical_json(point.config.at("model"));
    if (std::ranges::find(models, model) == models.end()) models.push_back(model);
  }
  const auto rank = [&](const Point& point) {
    const auto model = std::ranges::find(models, canonical_json(point.config.at("model")));
    return std::pair(model - models.begin(), !point.full_cache);
  };
  std::ranges::stable_sort(points, {}, rank);
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

using Grid = std::vector<std::vector<std::string>>;

PointList points_of_grid(const ComposeRequest& request,
                         const Grid& grid,
                         const std::string& root,
                         PointIdentity identity,
                         std::shared_ptr<const ComponentRegistry> components) {
  if (grid.empty()) {
    throw Error(ErrorKind::kConfig, "the sweep has no points: a range or glob in it is empty");
  }
  PointMaker maker(request, root, std::move(components));
  PointList list;
  std::vector<Point> points;
  for (size_t i = 0; i < grid.size(); ++i) {
    try {
      points.push_back(maker.make(grid[i], list));
    } catch (const Infeasible& infeasible) {
      list.infeasible.push_back(fmt::format("{}: {}", fmt::join(grid[i], " "), infeasible.message));
    } catch (const Error& error) {
      if (grid.size() == 1) throw;
      throw Error(error.kind(), fmt::format("point {} of {} ({}): {}", i + 1, grid.size(),
                                            fmt::join(grid[i], " "), error.what()));
    }
  }
  maker.judge_overrides();
  if (points.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("no policy of this sweep can meet its budget; {}",
                                                list.infeasible.front()));
  }
  if (!request.multirun) list.notes = notes_of(points.front(), maker.swept_keys());
  // Only now are files read: a typo in the last point is found before gigabytes of the first.
  std::map<std::string, size_t> seen;
  for (Point& point : points) {
    if (identity == PointIdentity::kHashed) maker.identify(point);
    const auto [found, is_new] = seen.emplace(identity_text(point), list.points.size());
    if (is_new) {
      list.points.push_back(std::move(point));
    } else {
      ask_for_both(list.points[found->second], point);
      ++list.duplicates;
    }
  }
  order(list.points);
  return list;
}

}  // namespace

std::string Point::former_hash(const ConfigNode& asking) const {
  ConfigNode before = config;
  for (const std::string& key : formerly_hashed_keys()) {
    set_value(before, key, asking.find(key));
  }
  try {
    const std::string of_prompts = prompts_digest(prompts_of(before, *prompt_files));
    return point_digest(before, keys_outside_former_hash(before),
                        with_prompts(digests, of_prompts));
  } catch (const Error&) {
    return "";
  }
}

void say_notes(const PointList& list) {
  for (const std::string& note : list.notes) say("note: {}", note);
}

PointList list_points(const ComposeRequest& request,
                      const std::string& root,
                      PointIdentity identity,
                      std::shared_ptr<const ComponentRegistry> components) {
  return points_of_grid(request, request.multirun ? expand_sweep(request) : Grid{request.overrides},
                        root, identity, std::move(components));
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

PointList list_points(ComposeRequest request,
                      const std::vector<std::vector<std::string>>& grid,
                      const std::string& root,
                      PointIdentity identity,
                      std::shared_ptr<const ComponentRegistry> components) {
  request.multirun = true;
  return points_of_grid(request, grid, root, identity, std::move(components));
}

}  // namespace kvscope
