#include "experiments/sweep/run_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/config/path.h"
#include "core/models/model_options.h"
#include "experiments/recording/record_settings.h"
#include "experiments/sweep/misspelt_keys.h"
#include "experiments/sweep/recipe_settings.h"
#include "experiments/sweep/settings.h"
#include "experiments/training/train_settings.h"
#include "policies/budget.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

/// Reads a group for what the Options learn of it.
template <auto read>
void ask(Options& options) {
  static_cast<void>(read(options));
}

constexpr const char* kRecordGroup = "record";
constexpr const char* kLaunchGroup = "launch";
constexpr const char* kRecipeGroup = "recipe";

struct Reader {
  const char* group;  // "": the top level
  void (*ask)(Options&);
};

// The groups that every run has; `model` and `train` have a reader a family.
constexpr Reader kReaders[] = {{"", ask<read_launch>},           {"budget", ask<read_budget>},
                               {"gen", ask<read_generation>},    {"prompts", ask<read_prompts>},
                               {kRecipeGroup, ask<read_recipe>}, {"metrics", ask<read_metrics>}};

/// A slot that is younger than results: while it is neutral, no hash knows of it.
OptionInfo read_slot() {
  return {.key = "policy.read",
          .name = "read",
          .accepts = "the name of a component, or its name and options",
          .help = "what a step attends to of what is kept; `kvscope list components` has them",
          .default_value = ConfigNode("all"),
          .identity = Identity::kUnlessDefault};
}

/// The whole of a group that no hash is taken over: without its keys it would still be there.
OptionInfo read_recipe_group() {
  return {.key = kRecipeGroup,
          .name = kRecipeGroup,
          .accepts = "a recipe, or its keys",
          .help = "the published number that the settings belong to; `kvscope list recipes`",
          .nullable = true,
          .identity = Identity::kNone};
}

/// The options of built-in components of policies that are younger than results, with the component
/// that reads each.
const std::vector<RunKey>& younger_policy_keys() {
  static const std::vector<RunKey> keys = [] {
    std::vector<RunKey> all = policy_keys(ComponentRegistry());
    std::erase_if(
        all, [](const RunKey& key) { return key.option.identity != Identity::kUnlessDefault; });
    return all;
  }();
  return keys;
}

/// Whether the slot that the key belongs to holds the component that reads it.
bool is_of_chosen_component(const ConfigNode& config, const RunKey& key) {
  const std::string slot = key.option.key.substr(0, key.option.key.rfind('.'));
  const ConfigNode* name = config.find(slot + ".name");
  return name != nullptr && name->is_string() &&
         std::ranges::find(key.readers, name->as_string()) != key.readers.end();
}

/// Adds what `options` were asked for. The same declaration of several readers is one entry.
void append(std::vector<RunKey>& keys, const Options& options, const std::string& reader) {
  for (const OptionInfo& option : options.asked()) {
    const auto same = std::ranges::find_if(keys, [&](const RunKey& key) {
      return key.option.key == option.key && key.option.help == option.help &&
             describe(key.option) == describe(option);
    });
    RunKey& key = same == keys.end() ? keys.emplace_back(RunKey{.option = option}) : *same;
    if (!reader.empty() && std::ranges::find(key.readers, reader) == key.readers.end()) {
      key.readers.push_back(reader);
    }
  }
}

/// A key of the same name in another group.
std::string same_name_elsewhere(const std::string& unknown) {
  const std::string name = unknown.substr(unknown.rfind('.') + 1);
  if (unknown == "train") return "kvscope train alone reads it.";
  if (unknown == kRecordGroup) return "kvscope attention record alone reads it.";
  for (const RunKey& key : run_keys()) {
    const std::string& known = key.option.key;
    if (known == unknown || known.starts_with(kRecordGroup) || known.starts_with(kRecipeGroup) ||
        known.substr(known.rfind('.') + 1) != name)
      continue;
    return fmt::format("Did you mean '{}'? ({})", known, describe(key));
  }
  return "";
}

/// Adds the mappings within the metrics, as metrics.weights, of which all keys are in `keys`:
/// empty, they would still be something.
void add_emptied_mappings(const ConfigNode& config, std::vector<std::string>& keys) {
  std::set<std::string> mappings;
  for (const std::string& key : keys) {
    const std::string mapping = key.substr(0, key.rfind('.'));
    if (mapping.starts_with("metrics.")) mappings.insert(mapping);
  }
  for (const std::string& mapping : mappings) {
    const ConfigNode* node = config.find(mapping);
    if (node == nullptr || !node->is_map()) continue;
    const bool is_emptied = std::ranges::all_of(node->entries(), [&](const ConfigEntry& entry) {
      return std::ranges::find(keys, mapping + "." + entry.name) != keys.end();
    });
    if (is_emptied) keys.push_back(mapping);
  }
}

/// The keys of `config` of these identities, and defaults of those that count only otherwise.
std::vector<std::string> keys_outside(const ConfigNode& config, const std::set<Identity>& never) {
  std::vector<std::string> keys;
  const auto is_default = [&](const OptionInfo& option) {
    return option.identity == Identity::kUnlessDefault &&
           *config.find(option.key) == option.default_value.value_or(ConfigNode());
  };
  for (const RunKey& key : run_keys()) {
    if (config.find(key.option.key) == nullptr) continue;
    if (never.contains(key.option.identity) || is_default(key.option)) {
      keys.push_back(key.option.key);
    }
  }
  // Whole: a group that was emptied key by key would be left.
  if (config.child(kLaunchGroup) != nullptr) keys.emplace_back(kLaunchGroup);
  for (const RunKey& key : younger_policy_keys()) {
    if (config.find(key.option.key) == nullptr) continue;
    if (is_of_chosen_component(config, key) && is_default(key.option)) {
      keys.push_back(key.option.key);
    }
  }
  add_emptied_mappings(config, keys);
  return keys;
}

const ConfigNode& group_of(const ConfigNode& config, const std::string& name) {
  static const ConfigNode kNothing;
  const ConfigNode* node = config.child(name);
  return node == nullptr ? kNothing : *node;
}

/// What a reader finds in a config.
Options read_by(const Reader& reader, const ConfigNode& config) {
  const std::string name = reader.group;
  Options options = Options::checking(name, name.empty() ? config : group_of(config, name));
  reader.ask(options);
  return options;
}

/// What is wrong with a name that is no folder of its own below multirun/: an empty one, as of a
/// shell variable that is not set, is that folder itself, and dots leave it.
std::optional<std::string> name_finding(const ConfigNode& config) {
  const ConfigNode* node = config.child("name");
  if (node == nullptr || !node->is_string()) return std::nullopt;
  const std::string& name = node->as_string();
  const std::filesystem::path path(name);
  const bool leaves = path.is_absolute() || std::ranges::any_of(path, [](const auto& part) {
                        return part == "." || part == "..";
                      });
  if (!name.empty() && !leaves) return std::nullopt;
  return fmt::format(
      "{}{}name={} {}; expected a name of a folder, such as name=first (hydra.sweep.dir=PATH names "
      "any other place)",
      node->origin().text(), node->origin().text().empty() ? "" : ": ", name,
      name.empty() ? "is empty" : "is no folder below the one of all results");
}

/// Overrides of what a single prompt takes the place of.
std::vector<UnreadKey> replaced_by_prompt(const ConfigNode& config) {
  std::vector<UnreadKey> unread;
  const ConfigNode* prompt = config.child("prompt");
  if (prompt == nullptr || prompt->is_null()) return unread;
  for (const char* key :
       {"gen.images", "prompts.source", "prompts.file", "prompts.list", "prompts.seed"}) {
    const ConfigNode* given = config.find(key);
    if (given == nullptr || !from_command_line(given->origin()) || given->is_null()) continue;
    if (*given == ConfigNode(1)) continue;  // one image
    unread.push_back({.key = key,
                      .finding = fmt::format("{}: '{}' is not read: prompt=... is the one prompt",
                                             given->origin().text(), key)});
  }
  return unread;
}

}  // namespace

namespace {

std::vector<RunKey> asked_by_readers() {
  std::vector<RunKey> keys;
  for (const Reader& reader : kReaders) {
    Options options = Options::describing(reader.group);
    reader.ask(options);
    append(keys, options, std::string_view(reader.group) == kRecipeGroup ? "recipes" : "");
  }
  keys.push_back({.option = read_slot()});
  keys.push_back({.option = read_recipe_group(), .readers = {"recipes"}});
  Options recording = Options::describing(kRecordGroup);
  static_cast<void>(read_recording(recording));
  append(keys, recording, "attention record");
  for (const std::string& family : model_families()) {
    Options options = Options::describing("model");
    ask_model_keys(family, options);
    append(keys, options, family);
  }
  for (const std::string& family : trained_families()) {
    Options options = Options::describing("train");
    static_cast<void>(read_training(family, options));
    append(keys, options, family);
  }
  return keys;
}

}  // namespace

const std::vector<RunKey>& run_keys() {
  static const std::vector<RunKey> keys = asked_by_readers();
  return keys;
}

std::vector<RunKey> policy_keys(const ComponentRegistry& components) {
  std::vector<RunKey> keys;
  for (const ComponentInfo& component : components.components()) {
    ConfigNode policy = ConfigNode::map();
    policy.set(component.slot, component.name);
    for (const ChosenComponent& chosen : chosen_components(policy, components)) {
      if (chosen.info.slot != component.slot) continue;
      for (const OptionInfo& option : chosen.options) {
        keys.push_back({.option = option, .readers = {component.name}});
      }
    }
  }
  return keys;
}

std::string describe(const RunKey& key) {
  const std::string text = describe(key.option);
  return key.readers.empty() ? text : fmt::format("{}; {}", text, fmt::join(key.readers, ", "));
}

void check_config(const ConfigNode& config,
                  ConfigUse use,
                  const ComponentRegistry& components,
                  const std::vector<std::string>& groups) {
  std::vector<std::string> findings;
  for (const UnreadKey& one : misspelt_keys(config, components, groups)) {
    findings.push_back(one.finding);
  }
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
  const auto add = [&](const std::vector<std::string>& more) {
    findings.insert(findings.end(), more.begin(), more.end());
  };
  for (const Reader& reader : kReaders) {
    Options options = read_by(reader, config);
    const bool is_top = *reader.group == '\0';
    if (is_top && use == ConfigUse::kTrain) options.leave_to_others({"train"});
    add(options.findings(same_name_elsewhere));
  }
  for (const UnreadKey& one : replaced_by_prompt(config)) findings.push_back(one.finding);
  if (const auto finding = name_finding(config)) findings.push_back(*finding);
  const ConfigNode& model = group_of(config, "model");
  if (model.is_map()) add(model_findings(model));
  if (use == ConfigUse::kTrain && model.is_map()) {
    Options options = Options::checking("train", group_of(config, "train"));
    static_cast<void>(read_training(model.at("family").as_string(), options));
    add(options.findings(same_name_elsewhere));
  }
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
}

std::vector<UnreadKey> unread_keys(const ConfigNode& config,
                                   const ComponentRegistry& components,
                                   const std::vector<std::string>& groups) {
  std::vector<UnreadKey> unread = misspelt_keys(config, components, groups);
  const auto add = [&](std::vector<UnreadKey> more) {
    std::move(more.begin(), more.end(), std::back_inserter(unread));
  };
  for (const Reader& reader : kReaders) add(read_by(reader, config).unread(same_name_elsewhere));
  const ConfigNode* family = config.find("model.family");
  const std::vector<std::string> families = model_families();
  if (family != nullptr && family->is_string() &&
      std::ranges::find(families, family->as_string()) != families.end()) {
    add(unread_model_keys(group_of(config, "model")));
  }
  add(replaced_by_prompt(config));
  add(unread_policy_keys(group_of(config, "policy"), components));
  return unread;
}

std::vector<std::string> keys_outside_hash(const ConfigNode& config) {
  return keys_outside(config, {Identity::kNone, Identity::kFormerly});
}

std::vector<std::string> formerly_hashed_keys() {
  std::vector<std::string> keys;
  for (const RunKey& key : run_keys()) {
    if (key.option.identity == Identity::kFormerly) keys.push_back(key.option.key);
  }
  return keys;
}

std::vector<std::string> keys_outside_former_hash(const ConfigNode& config) {
  return keys_outside(config, {Identity::kNone});
}

}  // namespace kvscope
