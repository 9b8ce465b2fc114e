#include "experiments/sweep/point.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/override.h"
#include "core/config/sweep.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/schema.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

/// Changes whenever equal configs would give other results.
constexpr const char* kResultsVersion = "1";

bool keeps_everything(const ConfigNode& policy) {
  const ConfigNode* allocate = policy.child("allocate");
  if (allocate == nullptr) return false;
  if (allocate->is_string()) return allocate->as_string() == "full";
  const ConfigNode* name = allocate->child("name");
  return name != nullptr && name->is_string() && name->as_string() == "full";
}

ConfigNode whole_budget() {
  ConfigNode budget = ConfigNode::map();
  budget.set("ratio", 1.0);
  budget.set("tokens", ConfigNode());
  return budget;
}

std::string budget_text(const ConfigNode& config) {
  const Budget budget = budget_from_config(config.at("budget"));
  if (budget.tokens) return fmt::format("{} tokens", *budget.tokens);
  return fmt::format("{:.6g} %", 100 * budget.ratio);
}

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

/// Composes and checks single points; keeps what they share.
class PointMaker {
 public:
  PointMaker(const ComposeRequest& request, std::string root)
      : request_(request),
        root_(std::move(root)),
        repository_(request.folders),
        volatile_keys_(volatile_keys(run_schema())) {}

  Point make(const std::vector<std::string>& overrides, std::string& results_folder) {
    ComposeRequest request = request_;
    request.overrides = overrides;
    const Composition composition = compose(request, repository_);
    if (results_folder.empty()) {
      results_folder =
          composition.hydra.at(request_.multirun ? "sweep.dir" : "run.dir").as_string();
    }
    Point point;
    point.overrides = overrides;
    point.config = composition.config;
    check_groups(point.config);
    validate(point.config, run_schema());
    point.full_cache = keeps_everything(point.config.at("policy"));
    point.facts = model_facts(point.config.at("model"));
    // A policy that keeps everything has no use for a budget, but an impossible one is still a
    // typo.
    resolved_tokens(budget_from_config(point.config.at("budget")), point.facts.cache.steps);
    if (point.full_cache) point.config.set("budget", whole_budget());
    point.generation = generation_settings(point.config, point.facts);
    point.prompts = prompts_of(point.config);
    point.plan = make_plan(point.facts.cache, point.config.at("policy"),
                           budget_from_config(point.config.at("budget")));
    point.labels = {{"model", point.facts.name},
                    {"policy", policy_text(point.config, overrides)},
                    {"budget", budget_text(point.config)},
                    {"seed", fmt::format("{}", point.generation.seed)}};
    return point;
  }

  /// Reads what the hash is taken over: weights and prompts.
  void identify(Point& point) {
    std::vector<std::pair<std::string, std::string>> digests =
        model_digests(point.config.at("model"), root_, files_);
    digests.emplace_back("prompts", prompts_digest(point.prompts));
    digests.emplace_back("results_version", kResultsVersion);
    point.hash = point_digest(point.config, volatile_keys_, digests);
    ConfigNode reference = point.config;
    if (const LoadedConfig* full = repository_.load("policy/full"); full && !point.full_cache) {
      reference.set("policy", full->body);
      reference.set("budget", whole_budget());
    }
    point.reference_hash = point_digest(reference, volatile_keys_, digests);
    point.labels.emplace_back("reference", point.reference_hash.substr(0, 12));
  }

 private:
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
  ConfigRepository repository_;
  std::vector<std::string> volatile_keys_;
  FileDigests files_;
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

}  // namespace

int64_t Point::images() const {
  return static_cast<int64_t>(prompts.size()) * generation.replicas;
}

double Point::kept_tokens() const {
  const CacheGeometry& cache = plan.geometry();
  const auto last = static_cast<int64_t>(cache.steps.size()) - 1;
  return static_cast<double>(plan.live_tokens(last)) /
         static_cast<double>(cache.layers * cache.heads);
}

double Point::full_tokens() const {
  return static_cast<double>(full_cache_tokens(facts.cache.steps));
}

PointInfo Point::info(const std::string& manifest_json, int64_t token_bytes) const {
  PointInfo info;
  info.point_hash = hash;
  info.config_yaml = to_yaml(config);
  info.overrides = overrides;
  info.manifest_json = manifest_json;
  info.labels = labels;
  info.full_cache = full_cache;
  info.kept_tokens = kept_tokens();
  info.full_tokens = full_tokens();
  info.images = images();
  info.steps = static_cast<int64_t>(facts.cache.steps.size());
  info.token_bytes = token_bytes;
  for (const Prompt& prompt : prompts) {
    info.prompt_bytes = std::max(info.prompt_bytes, static_cast<int64_t>(prompt.text.size()));
  }
  return info;
}

PointList list_points(const ComposeRequest& request,
                      const std::string& root,
                      PointIdentity identity) {
  const std::vector<std::vector<std::string>> grid =
      request.multirun ? expand_sweep(request)
                       : std::vector<std::vector<std::string>>{request.overrides};
  if (grid.empty()) {
    throw Error(ErrorKind::kConfig, "the sweep has no points: a range or glob in it is empty");
  }
  PointMaker maker(request, root);
  PointList list;
  std::vector<Point> points;
  for (size_t i = 0; i < grid.size(); ++i) {
    try {
      points.push_back(maker.make(grid[i], list.results_folder));
    } catch (const Error& error) {
      if (grid.size() == 1) throw;
      throw Error(error.kind(), fmt::format("point {} of {} ({}): {}", i + 1, grid.size(),
                                            fmt::join(grid[i], " "), error.what()));
    }
  }
  // Only now are files read: a typo in the last point is found before gigabytes of the first.
  std::set<std::string> seen;
  for (Point& point : points) {
    if (identity == PointIdentity::kHashed) maker.identify(point);
    if (seen.insert(identity_text(point)).second) {
      list.points.push_back(std::move(point));
    } else {
      ++list.duplicates;
    }
  }
  order(list.points);
  return list;
}

}  // namespace kvscope
