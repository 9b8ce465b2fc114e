#include "experiments/commands/list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "analysis/metrics/registry.h"
#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/repository.h"
#include "core/models/image_model.h"
#include "core/models/model_memory.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/policy_description.h"
#include "experiments/judges/judge.h"
#include "experiments/launch/launcher.h"
#include "experiments/sweep/run_keys.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

std::string text_of(const ConfigNode& policy, const std::string& key) {
  const ConfigNode* node = policy.child(key);
  return node != nullptr && node->is_string() ? node->as_string() : "";
}

/// "uniform, window_attention, window, as_is, each_scale".
std::string slots_text(const ConfigNode& policy, const ComponentRegistry& components) {
  std::vector<std::string> names;
  for (const ChosenComponent& chosen : chosen_components(policy, components)) {
    names.push_back(fmt::format("{} {}", chosen.info.slot, chosen.info.name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void print_policies(ConfigRepository& repository, const ComponentRegistry& components) {
  for (const std::string& name : repository.options("policy")) {
    const ConfigNode& body = repository.load("policy/" + name)->body;
    fmt::print("{:<22} {}\n{:<22} {}\n{:<22} {}\n", name, text_of(body, "summary"), "",
               text_of(body, "source"), "", slots_text(body, components));
  }
}

void print_components(ConfigRepository& /*repository*/, const ComponentRegistry& components) {
  for (const ComponentInfo& component : components.components()) {
    fmt::print("{:<10} {:<24} {}{}\n", component.slot, component.name, component.summary,
               component.library.empty() ? "" : fmt::format(" ({})", component.library));
  }
}

/// What a full cache takes for one guided image, two rows, in decimal megabytes as papers give it.
std::string cache_text(const ModelFacts& facts) {
  const CacheGeometry& cache = facts.cache;
  const auto megabytes = [&](int64_t tokens) {
    const int64_t rows = 2;
    return static_cast<double>(rows * tokens * cache.layers * cache.heads * cache.token_bytes()) /
           1e6;
  };
  std::string text =
      fmt::format("KV {:.2f} MB an image", megabytes(full_cache_tokens(cache.steps)));
  if (facts.published_slots > 0) {
    text += fmt::format(" ({:.2f} MB in the {} slots of the published code)",
                        megabytes(facts.published_slots), facts.published_slots);
  }
  return text;
}

/// "transformer bf16, image decoder fp32"; "fp32" where all are.
std::string types_text(const std::vector<WeightPart>& weights) {
  const at::ScalarType first = weights.front().type;
  const auto is_first = [&](const WeightPart& part) { return part.type == first; };
  if (std::ranges::all_of(weights, is_first)) return dtype_name(first);
  std::vector<std::string> texts;
  for (const WeightPart& part : weights) {
    texts.push_back(fmt::format("{} {}", part.name, dtype_name(part.type)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

void print_models(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  for (const std::string& name : repository.options("model")) {
    const ModelFacts facts = model_facts(repository.load("model/" + name)->body);
    const CacheGeometry& cache = facts.cache;
    const ModelMemory memory = model_memory(repository.load("model/" + name)->body, {});
    fmt::print(
        "{:<22} {}, {:.1f} M parameters ({:.2f} GB of weights in memory: {}), {} layers x {} "
        "heads, {} tokens in {} steps, {} x {} pixels, {}\n",
        name, facts.kind, static_cast<double>(facts.parameters) / 1e6,
        static_cast<double>(memory.weight_bytes()) / 1e9, types_text(memory.weights), cache.layers,
        cache.heads, cache.steps.back().first_token + cache.steps.back().queries(),
        cache.steps.size(), facts.image_height, facts.image_width, cache_text(facts));
  }
}

void print_launchers(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  for (const auto& [name, help] : launcher_names()) fmt::print("{:<12} {}\n", name, help);
}

void print_judges(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  for (const Judge& judge : judges()) {
    fmt::print("{:<20} {}: {} ({})\n{:<20} --prompts: {}\n", judge.name, judge.title, judge.summary,
               judge.repository, "", judge.prompt_files);
  }
}

void print_metrics(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  for (const Metric& metric : metrics()) {
    fmt::print("{:<12} {}{}, {}{}\n", metric.name, metric.title,
               metric.unit.empty() ? "" : fmt::format(" ({})", metric.unit), metric.remark(),
               metric.standard ? "" : fmt::format("; metrics.list=[{},...]", metric.name));
  }
}

void print_experiments(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  for (const std::string& group : repository.groups()) {
    if (group != "experiment" && !group.starts_with("experiment/")) continue;
    for (const std::string& name : repository.options(group)) {
      fmt::print("+{}={}\n", group, name);
    }
  }
}

void print_groups(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  for (const std::string& group : repository.groups()) {
    fmt::print("{:<14} {}\n", group, fmt::join(repository.options(group), " "));
  }
}

void print_keys(ConfigRepository& /*repository*/, const ComponentRegistry& components) {
  for (const auto& keys : {run_keys(), policy_keys(components)}) {
    for (const RunKey& key : keys) {
      fmt::print("{:<20} {} ({})\n", key.option.key, key.option.help, describe(key));
    }
  }
}

void describe_option(ConfigRepository& repository,
                     const ComponentRegistry& components,
                     const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string group = path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  if (!repository.group_exists(group)) {
    throw Error(ErrorKind::kConfig, fmt::format("no config group '{}'. {}", group,
                                                suggestion(group, repository.groups())));
  }
  const LoadedConfig* option = repository.load(path);
  if (option == nullptr) {
    throw Error(ErrorKind::kConfig, fmt::format("no option '{}' in group '{}'. {}", name, group,
                                                suggestion(name, repository.options(group))));
  }
  if (group == "policy") {
    fmt::print("{}", policy_description(repository, name, components));
  } else {
    fmt::print("# {}\n{}", option->file, to_yaml(option->body));
  }
}

void describe_key(const std::string& what, const ComponentRegistry& components) {
  std::vector<std::string> known;
  bool found = false;
  for (const auto& keys : {run_keys(), policy_keys(components)}) {
    for (const RunKey& key : keys) {
      known.push_back(key.option.key);
      if (key.option.key != what) continue;
      found = true;
      fmt::print("{}: {}\n  {}\n", what, key.option.help, describe(key));
    }
  }
  if (found) return;
  throw Error(ErrorKind::kConfig, fmt::format("'{}' is neither GROUP/OPTION nor a key. {}", what,
                                              suggestion(what, known)));
}

}  // namespace

int list_command(const ConfigArguments& arguments, const std::string& what) {
  static const std::map<std::string,
                        std::function<void(ConfigRepository&, const ComponentRegistry&)>>
      lists = {{"policies", print_policies},
               {"components", print_components},
               {"parts", print_components},  // what components were called
               {"models", print_models},
               {"metrics", print_metrics},
               {"launchers", print_launchers},
               {"judges", print_judges},
               {"experiments", print_experiments},
               {"groups", print_groups},
               {"keys", print_keys}};
  const auto list = lists.find(what);
  if (list == lists.end()) {
    std::vector<std::string> known;
    known.reserve(lists.size());
    for (const auto& [name, print] : lists) known.push_back(name);
    throw Error(ErrorKind::kConfig, fmt::format("list {}: {}", what, suggestion(what, known)));
  }
  ConfigRepository repository(compose_request(arguments).folders);
  list->second(repository, *component_registry(arguments));
  return 0;
}

int describe_command(const ConfigArguments& arguments, const std::string& what) {
  if (what.find('/') == what.npos) {
    describe_key(what, *component_registry(arguments));
    return 0;
  }
  ConfigRepository repository(compose_request(arguments).folders);
  describe_option(repository, *component_registry(arguments), what);
  return 0;
}

namespace {

using ListAction = int (*)(const ConfigArguments& arguments, const std::string& what);

void register_lookup(const CommandRegistrar& registrar,
                     const std::string& name,
                     const std::string& help,
                     const std::string& what_help,
                     ListAction action) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto what = std::make_shared<std::string>();
  CLI::App& command = registrar.add(name, help, [=] { return action(*config, *what); });
  command.add_option("what", *what, what_help)->required();
  command.add_option("--config-dir", config->config_folder, "as for run");
  add_plugin_option(command, *config);
}

}  // namespace

void register_list(const CommandRegistrar& registrar) {
  register_lookup(
      registrar, "list",
      "policies, components, models, metrics, launchers, judges, experiments, groups or keys",
      "what to list", list_command);
}

void register_describe(const CommandRegistrar& registrar) {
  register_lookup(registrar, "describe", "a config option (policy/snapkv) or a key (gen.cfg)",
                  "GROUP/OPTION or key", describe_command);
}

}  // namespace kvscope
