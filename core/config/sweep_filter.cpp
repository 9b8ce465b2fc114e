#include "core/config/sweep_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/config/expression.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

void add_leaves(const ConfigNode& node, const std::string& key, std::vector<std::string>& keys) {
  if (!node.is_map()) {
    keys.push_back(key);
    return;
  }
  for (const ConfigEntry& entry : node.entries()) {
    add_leaves(entry.value, key.empty() ? entry.name : key + "." + entry.name, keys);
  }
}

ConfigNode value_of(const std::string& key,
                    const Composition& composition,
                    const UnlistedKeys& unlisted) {
  const ConfigNode* found = composition.config.find(key);
  for (const auto& [group, option] : composition.choices) {
    if (group != key || (found != nullptr && !found->is_map() && !found->is_null())) continue;
    return option == "null" ? ConfigNode() : ConfigNode(option);
  }
  if (found != nullptr && found->is_map()) {
    std::vector<std::string> below;
    add_leaves(*found, key, below);
    throw Error(ErrorKind::kConfig,
                fmt::format("'{}' is a mapping. {}", key, suggestion(key, below)));
  }
  if (found != nullptr) return found->is_missing() ? ConfigNode() : *found;
  if (unlisted.value) {
    if (auto value = unlisted.value(key)) return std::move(*value);
  }
  std::vector<std::string> known;
  for (const auto& [group, option] : composition.choices) known.push_back(group);
  add_leaves(composition.config, "", known);
  if (unlisted.names) {
    for (std::string& name : unlisted.names()) known.push_back(std::move(name));
  }
  const std::string near = nearest_name(key, known);
  throw Error(ErrorKind::kConfig,
              fmt::format("no key '{}'. {}", key,
                          near.empty() ? "A key is written as in the configuration: budget.ratio"
                                       : fmt::format("Did you mean '{}'?", near)));
}

std::string shown(const ConfigNode& value) {
  return value.is_string() ? "'" + value.as_string() + "'" : canonical_json(value);
}

}  // namespace

std::optional<std::string> filtered_out(const Composition& composition,
                                        const UnlistedKeys& unlisted) {
  const ConfigNode* filter = composition.hydra.find("sweeper.filter");
  if (filter == nullptr || filter->is_null()) return std::nullopt;
  const std::string place = filter->origin().text();
  const std::string where = place.empty() ? "" : place + ": ";
  try {
    if (filter->kind() == ConfigKind::kBool) {
      return filter->as_bool() ? std::nullopt : std::optional<std::string>("the filter is false");
    }
    if (!filter->is_string()) {
      throw Error(ErrorKind::kConfig, fmt::format("expected an expression in quotes, got {}",
                                                  kind_name(filter->kind())));
    }
    const ConfigExpression expression(filter->as_string());
    // All keys first: what is misspelt is found, though `and` may never come to it.
    std::map<std::string, ConfigNode> values;
    std::string seen;
    for (const std::string& key : expression.keys()) {
      const ConfigNode& value = values[key] = value_of(key, composition, unlisted);
      seen += (seen.empty() ? "" : ", ") + key + " = " + shown(value);
    }
    ExpressionScope scope;
    scope.key = [&](const std::string& key) { return values.at(key); };
    const ConfigNode verdict = expression.value(scope);
    if (verdict.kind() != ConfigKind::kBool) {
      throw Error(ErrorKind::kConfig, fmt::format("\"{}\" is neither true nor false but {}",
                                                  expression.text(), shown(verdict)));
    }
    if (verdict.as_bool()) return std::nullopt;
    return fmt::format("hydra.sweeper.filter \"{}\" is false: {}", expression.text(), seen);
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig, fmt::format("{}hydra.sweeper.filter: {}", where, error.what()));
  }
}

}  // namespace kvscope
