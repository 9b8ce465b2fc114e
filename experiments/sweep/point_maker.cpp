#include "experiments/sweep/point_maker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/override.h"
#include "core/config/path.h"
#include "core/config/sweep_filter.h"
#include "core/device/device.h"
#include "experiments/sweep/config_paths.h"
#include "experiments/sweep/full_cache.h"
#include "experiments/sweep/known_keys.h"
#include "experiments/sweep/metric_settings.h"
#include "experiments/sweep/misspelt_keys.h"
#include "experiments/sweep/number_spelling.h"
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

PlannedBudget new_plan(const Point& point, int64_t image_rows) {
  try {
    return point.policy()->plan_budget(point.facts.cache, point.budget, image_rows);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConfig || !point.launch.skip_infeasible) throw;
    throw PointLeftOut{error.what()};
  }
}

}  // namespace

PointMaker::PointMaker(const ComposeRequest& request,
                       std::string root,
                       std::shared_ptr<const ComponentRegistry> components)
    : request_(request),
      root_(std::move(root)),
      components_(std::move(components)),
      repository_(request.folders),
      judge_(request.multirun) {}

Point PointMaker::make(const std::vector<std::string>& overrides, PointList& list) {
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
  check(composition.config);
  settle_numbers(composition.config, *components_);
  return of_checked({.config = std::move(composition.config), .overrides = request.overrides});
}

Point PointMaker::make(SettledConfig settled) {
  check(settled.config);
  return of_checked(std::move(settled));
}

Point PointMaker::of_checked(SettledConfig settled) {
  Point point;
  point.overrides = std::move(settled.overrides);
  point.config = std::move(settled.config);
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

void PointMaker::identify(Point& point) {
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
  point.setting_hash = point.setting_hash_spelt_as(point.config);
  ConfigNode reference = point.config;
  if (const LoadedConfig* full = repository_.load("policy/full"); full && !point.full_cache) {
    reference.set("policy", full->body);
    reference.set("budget", budget_group(Budget{}));
  }
  // The full cache is its own reference, whatever it is made of.
  point.reference_hash = point.full_cache ? point.hash
                                          : point_digest(reference, keys_outside_hash(reference),
                                                         with_prompts(of_model, prompts));
  point.labels.emplace_back("reference", short_hash(point.reference_hash));
}

void PointMaker::say_where_swept(const std::vector<SweeperParameter>& swept,
                                 ConfigNode& config) const {
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

bool PointMaker::sets_key(const Override& override, const std::string& key) {
  return override.key == key || std::ranges::any_of(override.zipped, [&](const Override& member) {
           return member.key == key;
         });
}

void PointMaker::leave_out_filtered(const Composition& composition) const {
  const auto why = filtered_out(composition, unlisted_keys(composition.config, *components_));
  if (why) throw PointLeftOut{*why};
}

void PointMaker::refuse_misspelt_keys(const ConfigNode& config) const {
  std::vector<std::string> findings;
  for (const UnreadKey& one : misspelt_keys(config, *components_, groups_)) {
    findings.push_back(one.finding);
  }
  if (findings.empty()) return;
  throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
}

const PointMaker::PlanOfPoint& PointMaker::plan_of(const Point& point, int64_t image_rows) {
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

const std::string& PointMaker::source_digest(const Point& point) {
  const ConfigNode* single = point.config.find("prompt");
  const std::string key = canonical_json(point.config.at("prompts")) +
                          (single == nullptr ? "" : canonical_json(*single));
  const auto found = source_digests_.find(key);
  if (found != source_digests_.end()) return found->second;
  return source_digests_.emplace(key, prompts_digest(source_prompts(point.config, *prompt_files_)))
      .first->second;
}

const ModelFacts& PointMaker::facts_of(const Point& point) {
  const ConfigNode& model = point.config.at("model");
  model_key_ = canonical_json(model);
  const auto found = facts_.find(model_key_);
  if (found != facts_.end()) return found->second;
  return facts_.emplace(model_key_, model_facts(model)).first->second;
}

void PointMaker::record_departures(Point& point) {
  const std::string name = recipe_settings(point.config).name;
  if (name.empty()) return;
  const LoadedConfig* file = repository_.load("recipe/" + name);
  const std::vector<std::string> departures =
      recipe_departures(point.config, file == nullptr ? nullptr : &file->body, point.facts,
                        std::ssize(point.prompts));
  point.config.child("recipe")->set("departures",
                                    ConfigNode::list({departures.begin(), departures.end()}));
}

void PointMaker::settle_device(ConfigNode& config) {
  ConfigNode* device = config.child("device");
  if (device == nullptr || !device->is_string() || device->as_string() != "auto") return;
  if (auto_device_.empty()) auto_device_ = resolved_device("auto");
  const ConfigOrigin origin = device->origin();
  config.set("device", auto_device_).set_origin(origin);
}

void PointMaker::update_policy(ConfigNode& config) {
  const std::string advice = update_spelling(*config.child("policy"));
  if (!advice.empty() && said_.insert(advice).second) {
    spdlog::warn("{}; the old spelling is taken until 0.3", advice);
  }
}

void PointMaker::check(ConfigNode& config) {
  check_groups(config);
  refuse_misspelt_keys(config);
  update_policy(config);
  check_config(config, ConfigUse::kRun, *components_, groups_);
}

void PointMaker::read_groups(Point& point) {
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

void PointMaker::check_groups(const ConfigNode& config) {
  for (const char* group : {"model", "policy", "budget", "gen", "prompts", "metrics"}) {
    const ConfigNode* node = config.child(group);
    if (node != nullptr && node->is_map()) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("the config has no '{}'; choose an option, such as {}=..., or start "
                            "from the default config",
                            group, group));
  }
}

}  // namespace kvscope
