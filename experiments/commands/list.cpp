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
#include "experiments/commands/json_output.h"
#include "experiments/commands/keys_page.h"
#include "experiments/commands/policy_description.h"
#include "experiments/judges/judge.h"
#include "experiments/launch/launcher.h"
#include "experiments/sweep/recipe_settings.h"
#include "experiments/sweep/run_keys.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

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

/// One entry of a list, for people and for programs.
struct Entry {
  std::string text{};
  ordered_json json{};
};
using Entries = std::vector<Entry>;

Entries list_policies(ConfigRepository& repository, const ComponentRegistry& components) {
  Entries entries;
  for (const std::string& name : repository.options("policy")) {
    const ConfigNode& body = repository.load("policy/" + name)->body;
    ordered_json slots;
    for (const ChosenComponent& chosen : chosen_components(body, components)) {
      slots[chosen.info.slot].push_back(chosen.info.name);
    }
    entries.push_back(
        {.text = fmt::format("{:<22} {}\n{:<22} {}\n{:<22} {}\n", name, text_of(body, "summary"),
                             "", text_of(body, "source"), "", slots_text(body, components)),
         .json = {{"name", name},
                  {"summary", text_of(body, "summary")},
                  {"source", text_of(body, "source")},
                  {"slots", std::move(slots)}}});
  }
  return entries;
}

Entries list_components(ConfigRepository& /*repository*/, const ComponentRegistry& components) {
  Entries entries;
  for (const ComponentInfo& component : components.components()) {
    entries.push_back(
        {.text =
             fmt::format("{:<10} {:<24} {}{}\n", component.slot, component.name, component.summary,
                         component.library.empty() ? "" : fmt::format(" ({})", component.library)),
         .json = {{"slot", component.slot},
                  {"name", component.name},
                  {"summary", component.summary},
                  {"library",
                   component.library.empty() ? ordered_json() : ordered_json(component.library)}}});
  }
  return entries;
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

Entries list_models(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const std::string& name : repository.options("model")) {
    const ModelFacts facts = model_facts(repository.load("model/" + name)->body);
    const CacheGeometry& cache = facts.cache;
    const ModelMemory memory = model_memory(repository.load("model/" + name)->body, {});
    const int64_t tokens = cache.steps.back().first_token + cache.steps.back().queries();
    entries.push_back(
        {.text = fmt::format(
             "{:<22} {}, {:.1f} M parameters ({:.2f} GB of weights in memory: {}), {} layers x {} "
             "heads, {} tokens in {} steps, {} x {} pixels, {}\n",
             name, facts.kind, static_cast<double>(facts.parameters) / 1e6,
             static_cast<double>(memory.weight_bytes()) / 1e9, types_text(memory.weights),
             cache.layers, cache.heads, tokens, cache.steps.size(), facts.image_height,
             facts.image_width, cache_text(facts)),
         .json = {{"name", name},
                  {"kind", facts.kind},
                  {"parameters", facts.parameters},
                  {"weights_bytes", memory.weight_bytes()},
                  {"layers", cache.layers},
                  {"heads", cache.heads},
                  {"head_dim", cache.head_dim},
                  {"tokens", tokens},
                  {"steps", cache.steps.size()},
                  {"image_height", facts.image_height},
                  {"image_width", facts.image_width},
                  {"kv_bytes_of_guided_image", 2 * full_cache_tokens(cache.steps) * cache.layers *
                                                   cache.heads * cache.token_bytes()}}});
  }
  return entries;
}

Entries list_launchers(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const auto& [name, help] : launcher_names()) {
    entries.push_back(
        {.text = fmt::format("{:<12} {}\n", name, help), .json = {{"name", name}, {"help", help}}});
  }
  return entries;
}

Entries list_judges(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const Judge& judge : judges()) {
    entries.push_back(
        {.text = fmt::format("{:<20} {}: {} ({})\n{:<20} --prompts: {}\n", judge.name, judge.title,
                             judge.summary, judge.repository, "", judge.prompt_files),
         .json = {{"name", judge.name},
                  {"title", judge.title},
                  {"summary", judge.summary},
                  {"repository", judge.repository},
                  {"prompts", judge.prompt_files}}});
  }
  return entries;
}

Entries list_metrics(ConfigRepository& /*repository*/, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const Metric& metric : metrics()) {
    entries.push_back(
        {.text = fmt::format(
             "{:<12} {}{}, {}{}\n", metric.name, metric.title,
             metric.unit.empty() ? "" : fmt::format(" ({})", metric.unit), metric.remark(),
             metric.standard ? "" : fmt::format("; metrics.list=[{},...]", metric.name)),
         .json = {{"name", metric.name},
                  {"title", metric.title},
                  {"unit", metric.unit},
                  {"remark", metric.remark()},
                  {"standard", metric.standard}}});
  }
  return entries;
}

Entries list_recipes(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const std::string& name : repository.options("recipe")) {
    const RecipeSettings recipe = recipe_settings(repository.load("recipe/" + name)->body);
    if (recipe.name.empty()) continue;
    std::string text = fmt::format("{:<22} {}\n", name, recipe.numbers);
    for (const std::string& line : {recipe.source, recipe.known}) {
      if (!line.empty()) text += fmt::format("{:<22} {}\n", "", line);
    }
    entries.push_back({.text = std::move(text),
                       .json = {{"name", name},
                                {"numbers", recipe.numbers},
                                {"source", recipe.source},
                                {"known", recipe.known}}});
  }
  return entries;
}

Entries list_experiments(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const std::string& group : repository.groups()) {
    if (group != "experiment" && !group.starts_with("experiment/")) continue;
    for (const std::string& name : repository.options(group)) {
      const std::string word = fmt::format("+{}={}", group, name);
      entries.push_back({.text = word + "\n", .json = {{"override", word}}});
    }
  }
  return entries;
}

Entries list_groups(ConfigRepository& repository, const ComponentRegistry& /*components*/) {
  Entries entries;
  for (const std::string& group : repository.groups()) {
    const std::vector<std::string> options = repository.options(group);
    entries.push_back({.text = fmt::format("{:<14} {}\n", group, fmt::join(options, " ")),
                       .json = {{"name", group}, {"options", options}}});
  }
  return entries;
}

/// Without a value that programs would need, words are all there is: `accepts` has them.
Entry entry_of(const RunKey& key) {
  const OptionInfo& option = key.option;
  return {.text = fmt::format("{:<20} {} ({})\n", option.key, option.help, describe(key)),
          .json = {{"key", option.key},
                   {"help", option.help},
                   {"accepts", describe(option)},
                   {"default",
                    option.default_value
                        ? ordered_json::parse(canonical_json(*option.default_value), nullptr, false)
                        : ordered_json()},
                   {"readers", key.readers}}};
}

Entries list_keys(ConfigRepository& /*repository*/, const ComponentRegistry& components) {
  Entries entries;
  for (const auto& keys : {run_keys(), policy_keys(components)}) {
    for (const RunKey& key : keys) entries.push_back(entry_of(key));
  }
  return entries;
}

/// What describes GROUP/OPTION.
Entry option_entry(ConfigRepository& repository,
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
  const std::string text = group == "policy"
                               ? policy_description(repository, name, components)
                               : fmt::format("# {}\n{}", option->file, to_yaml(option->body));
  return {.text = text,
          .json = {{"group", group},
                   {"option", name},
                   {"file", option->file},
                   {"config", ordered_json::parse(canonical_json(option->body), nullptr, false)}}};
}

/// What describes a key: an entry for each of its declarations.
Entries key_entries(const std::string& what, const ComponentRegistry& components) {
  std::vector<std::string> known;
  Entries entries;
  for (const auto& keys : {run_keys(), policy_keys(components)}) {
    for (const RunKey& key : keys) {
      known.push_back(key.option.key);
      if (key.option.key != what) continue;
      Entry& entry = entries.emplace_back(entry_of(key));
      entry.text = fmt::format("{}: {}\n  {}\n", what, key.option.help, describe(key));
    }
  }
  if (!entries.empty()) return entries;
  const std::string near = nearest_name(what, known);
  throw Error(ErrorKind::kConfig, fmt::format("'{}' is neither GROUP/OPTION nor a key. {}", what,
                                              near.empty() ? "All keys: kvscope list keys"
                                                           : "Did you mean '" + near +
                                                                 "'? All keys: kvscope list keys"));
}

/// Prints entries as text, or as an object that has them at `name`.
void print_entries(const Entries& entries, const char* name, bool json) {
  ordered_json array = ordered_json::array();
  for (const Entry& entry : entries) {
    if (json) {
      array.push_back(entry.json);
    } else {
      fmt::print("{}", entry.text);
    }
  }
  if (json) print_json({{name, std::move(array)}});
}

using List = std::function<Entries(ConfigRepository&, const ComponentRegistry&)>;

const std::map<std::string, List>& all_lists() {
  static const std::map<std::string, List> lists = {
      {"policies", list_policies},   {"components", list_components},
      {"parts", list_components},  // what components were called
      {"models", list_models},       {"metrics", list_metrics},
      {"launchers", list_launchers}, {"judges", list_judges},
      {"recipes", list_recipes},     {"experiments", list_experiments},
      {"groups", list_groups},       {"keys", list_keys}};
  return lists;
}

std::vector<std::string> list_names() {
  std::vector<std::string> names;
  for (const auto& [name, entries] : all_lists()) names.push_back(name);
  return names;
}

}  // namespace

int list_command(const ConfigArguments& arguments, const std::string& what, bool json) {
  const auto list = all_lists().find(what);
  if (list == all_lists().end()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("list {}: {}", what, suggestion(what, list_names())));
  }
  ConfigRepository repository(compose_request(arguments).folders);
  print_entries(list->second(repository, *component_registry(arguments)), what.c_str(), json);
  return 0;
}

int keys_page_command(const ConfigArguments& arguments,
                      const std::string& what,
                      const std::string& format) {
  if (format != "md") {
    throw Error(ErrorKind::kConfig,
                fmt::format("--format {}: {}", format, suggestion(format, {"text", "md"})));
  }
  if (what != "keys") {
    throw Error(ErrorKind::kConfig,
                "--format md is the page of all keys: kvscope list keys --format md");
  }
  std::vector<RunKey> keys = run_keys();
  std::ranges::move(policy_keys(*component_registry(arguments)), std::back_inserter(keys));
  fmt::print("{}", keys_page(keys));
  return 0;
}

int describe_command(const ConfigArguments& arguments, const std::string& what, bool json) {
  if (what.find('/') == what.npos) {
    print_entries(key_entries(what, *component_registry(arguments)), "keys", json);
    return 0;
  }
  ConfigRepository repository(compose_request(arguments).folders);
  const Entry entry = option_entry(repository, *component_registry(arguments), what);
  if (json) {
    print_json(entry.json);
  } else {
    fmt::print("{}", entry.text);
  }
  return 0;
}

namespace {

struct Lookup {
  ConfigArguments config;
  std::string what;
  bool json = false;
  std::string format = "text";
};

/// What `list` and `describe` have in common; `kinds` says what the first argument may be.
void add_lookup_options(CLI::App& command, Lookup& lookup, const std::string& kinds) {
  command.add_option("what", lookup.what, "what to print")->required()->type_name(kinds);
  command.add_option("--config-dir", lookup.config.config_folder, "as for run")
      ->type_name("FOLDER");
  add_json_flag(command, lookup.json);
  add_plugin_option(command, lookup.config);
}

}  // namespace

void register_list(const CommandRegistrar& registrar) {
  const auto lookup = std::make_shared<Lookup>();
  CLI::App& command = registrar.add(
      "list",
      "policies, components, models, metrics, launchers, judges, recipes, experiments, groups or "
      "keys",
      [lookup] {
        return lookup->format == "text"
                   ? list_command(lookup->config, lookup->what, lookup->json)
                   : keys_page_command(lookup->config, lookup->what, lookup->format);
      });
  add_lookup_options(command, *lookup, fmt::format("{}", fmt::join(list_names(), "|")));
  command.add_option("--format", lookup->format, "md, of keys: the page docs/keys.md")
      ->type_name("text|md");
}

void register_describe(const CommandRegistrar& registrar) {
  const auto lookup = std::make_shared<Lookup>();
  CLI::App& command = registrar.add(
      "describe", "a config option (policy/snapkv) or a key (gen.cfg)",
      [lookup] { return describe_command(lookup->config, lookup->what, lookup->json); });
  add_lookup_options(command, *lookup, "GROUP/OPTION|KEY");
}

}  // namespace kvscope
