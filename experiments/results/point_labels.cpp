#include "experiments/results/point_labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/config/hash.h"
#include "core/config/yaml.h"
#include "experiments/results/summary.h"
#include "experiments/sweep/run_keys.h"
#include "experiments/sweep/setting_text.h"
#include "policies/budget.h"

namespace kvscope {
namespace {

const LabelKey kModel{"model", "model"};
const LabelKey kSeed{"gen.seed", "seed"};

/// Headers that tables have anyway.
constexpr const char* kColumns[] = {"model", "policy", "budget", "time", "attention", "images"};

bool is_below(std::string_view key, std::string_view group) {
  return key == group || (key.starts_with(group) && key.substr(group.size()).starts_with('.'));
}

/// Keys that say nothing about what was run.
const std::vector<std::string>& unlabelled_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> found{"hydra"};
    for (const char* prose : {"summary", "source"}) found.push_back(std::string("policy.") + prose);
    for (const RunKey& key : run_keys()) {
      const Identity identity = key.option.identity;
      if (identity == Identity::kNone || identity == Identity::kFormerly) {
        found.push_back(key.option.key);
      }
    }
    return found;
  }();
  return keys;
}

/// Keys that are younger than results, with the text of their defaults.
const PointSettings& younger_defaults() {
  static const PointSettings defaults = [] {
    PointSettings found;
    for (const RunKey& key : run_keys()) {
      if (key.option.identity != Identity::kUnlessDefault) continue;
      found[key.option.key] = setting_text(key.option.default_value.value_or(ConfigNode()));
    }
    return found;
  }();
  return defaults;
}

/// Whether lists all the way down hold scalars only.
bool is_plain(const ConfigNode& node) {
  return !node.is_map() && (!node.is_list() || std::ranges::all_of(node.items(), is_plain));
}

void collect(const ConfigNode& node, const std::string& key, PointSettings& settings) {
  const auto hidden = [&](const std::string& other) { return is_below(key, other); };
  if (std::ranges::any_of(unlabelled_keys(), hidden)) return;
  if (is_plain(node)) {
    settings[key] = setting_text(node);
  } else if (node.is_list()) {
    for (size_t i = 0; i < node.size(); ++i) {
      collect(node.items()[i], fmt::format("{}.{}", key, i), settings);
    }
  } else {
    for (const ConfigEntry& entry : node.entries()) {
      collect(entry.value, key.empty() ? entry.name : key + "." + entry.name, settings);
    }
  }
}

/// What points have to share for a difference in `key` to tell them apart.
std::string context_of(const PointSummary& summary, const std::string& key) {
  const PointInfo& point = summary.point();
  std::string context = point.label("model");
  const bool of_budget = is_below(key, "budget");
  if (of_budget || is_below(key, "policy")) context += "\n" + point.label("policy");
  if (of_budget) context += "\n" + point.label("budget");
  return context;
}

bool differs(const SweepSummary& sweep, const LabelKey& key) {
  std::map<std::string, std::string> first;
  return std::ranges::any_of(sweep.points, [&](const PointSummary& point) {
    const std::string value = label_value(point, key);
    return first.try_emplace(context_of(point, key.key), value).first->second != value;
  });
}

/// The shortest end of `key` that no other of `keys` ends in and no column is called.
std::string header_of(const std::string& key, const std::set<std::string>& keys) {
  for (size_t dot = key.rfind('.'); dot != key.npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    std::string end = key.substr(dot + 1);
    if (std::ranges::find(kColumns, end) != std::end(kColumns) || end == kSeed.header) continue;
    const auto shares = std::ranges::count_if(
        keys, [&](const std::string& other) { return other == end || other.ends_with("." + end); });
    if (shares == 1) return end;
  }
  return key;
}

}  // namespace

PointSettings point_settings(const PointInfo& point) {
  PointSettings settings;
  const ConfigNode config = load_yaml_text(point.config_yaml, "the point's config");
  if (config.is_map()) collect(config, "", settings);
  // What is younger than a result, and no part of its hash at its default, had that default.
  for (const auto& [key, value] : younger_defaults()) {
    std::string& held = settings[key];
    if (held.empty() || held == "null") held = value;
  }
  for (const auto& [name, text] : point.labels) {
    if (name == kSeed.header) settings.try_emplace(kSeed.key, text);
  }
  return settings;
}

std::vector<LabelKey> differing_keys(const SweepSummary& sweep) {
  std::set<std::string> keys;
  std::set<std::string> models;
  for (const PointSummary& point : sweep.points) {
    models.insert(point.point().label("model"));
    for (const auto& [key, value] : point.settings) keys.insert(key);
  }
  std::vector<LabelKey> found;
  if (models.size() > 1) found.push_back(kModel);
  if (differs(sweep, kSeed)) found.push_back(kSeed);
  for (const std::string& key : keys) {
    if (key != kSeed.key && differs(sweep, {key, key})) {
      found.push_back({key, header_of(key, keys)});
    }
  }
  return found;
}

std::string label_value(const PointSummary& point, const LabelKey& key) {
  if (key == kModel) return point.point().label("model");
  const auto setting = point.settings.find(key.key);
  if (setting != point.settings.end()) return setting->second;
  return is_below(key.key, "policy") ? "" : "null";
}

std::string series_name(const PointSummary& point, const std::vector<LabelKey>& differing) {
  std::string name = point.point().label("policy");
  for (const LabelKey& key : differing) {
    const std::string value = label_value(point, key);
    if (!value.empty()) name += ", " + key.header + " " + value;
  }
  return name;
}

std::string point_name(const PointSummary& point, const std::vector<LabelKey>& differing) {
  const std::string& policy = point.point().label("policy");
  const std::string rest = series_name(point, differing).substr(policy.size());
  return point.point().full_cache ? policy + rest
                                  : policy + " " + budget_name(point.point()) + rest;
}

std::string budget_name(const PointInfo& point) {
  const std::string text = point.label("budget");
  return text.empty() && point.full_cache ? "100 %" : text;
}

std::string short_hash(const PointInfo& point) {
  return short_hash(point.point_hash);
}

std::string policy_and_budget(const ConfigNode& config) {
  try {
    return fmt::format("{}, {}", config.at("policy.name").as_string(),
                       budget_text(budget_from_config(config.at("budget"))));
  } catch (const Error&) {
    return "";
  }
}

}  // namespace kvscope
