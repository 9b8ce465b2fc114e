#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/base/error.h"
#include "core/config/config_key.h"
#include "core/config/expression.h"
#include "core/config/format.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation_scope.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

struct Call {
  InterpolationScope& scope;
  const std::string& name;
  const std::vector<Placed>& arguments;
  const Placed& container;
  const std::string& key;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kConfig, fmt::format("${{{}:..}}: {}", name, what));
  }

  [[nodiscard]] const ConfigNode& argument(size_t i) const { return arguments[i]->node(); }

  /// An argument that must be text.
  [[nodiscard]] const std::string& text(size_t i) const {
    if (!argument(i).is_string()) {
      fail(fmt::format("takes text, got {}", kind_name(argument(i).kind())));
    }
    return argument(i).as_string();
  }

  [[nodiscard]] Placed value(ConfigNode node) const {
    return PlacedNode::result(std::move(node), container, key);
  }
  [[nodiscard]] Placed tree(ConfigNode node) const {
    return PlacedNode::made(std::move(node), container, key);
  }
};

Placed env(const Call& call) {
  const std::string& name = call.text(0);
  if (call.scope.context().environment) {
    if (const auto value = call.scope.context().environment(name)) return call.value(*value);
  }
  if (call.arguments.size() < 2) {
    call.fail(
        fmt::format("the environment variable '{}' is not set; a default is given as "
                    "${{oc.env:{},DEFAULT}}",
                    name, name));
  }
  if (call.argument(1).is_null()) return call.value({});
  return call.value(python_text(call.argument(1)));
}

Placed select(const Call& call) {
  Placed found;
  try {
    found = call.scope.select(call.container, call.text(0), {});
  } catch (const NotAContainer&) {
    found = nullptr;
  }
  if (found && !found->is_missing()) return found;
  return call.arguments.size() == 2 ? call.arguments[1] : call.value({});
}

Placed deprecated(const Call& call) {
  if (call.arguments.size() == 2) static_cast<void>(call.text(1));
  Placed found;
  try {
    found = call.scope.select(call.container, call.text(0), {});
  } catch (const NotAContainer&) {
    found = nullptr;
  }
  if (!found) call.fail(fmt::format("no key '{}'", call.text(0)));
  return found;
}

Placed decode(const Call& call) {
  if (call.argument(0).is_null()) return call.value({});
  return call.value(call.scope.evaluate_element(call.text(0), call.container));
}

Placed create(const Call& call) {
  const ConfigNode& given = call.argument(0);
  if (given.is_container() || given.is_null()) return call.tree(given);
  ConfigNode read = load_yaml_text(call.text(0), "oc.create");
  if (read.is_null()) return call.tree(ConfigNode::map());
  if (read.is_string()) {
    ConfigNode map = ConfigNode::map();
    map.set(read.as_string(), ConfigNode());
    return call.tree(std::move(map));
  }
  if (!read.is_container()) call.fail("takes a list or a mapping");
  return call.tree(std::move(read));
}

Placed selected_map(const Call& call) {
  const Placed found = call.scope.select(call.container, call.text(0), {.refuse_missing = true});
  if (!found) call.fail(fmt::format("no key '{}'", call.text(0)));
  if (!found->is_container() || !found->node().is_map()) {
    call.fail(fmt::format("'{}' is {}, a mapping is needed", call.text(0),
                          kind_name(found->node().kind())));
  }
  return found;
}

Placed dict_keys(const Call& call) {
  ConfigNode keys = ConfigNode::list();
  for (const ConfigEntry& entry : selected_map(call)->node().entries()) {
    keys.items().push_back(entry_key(entry));
  }
  return call.tree(std::move(keys));
}

/// References to the values, which are looked up when they are needed.
Placed dict_values(const Call& call) {
  const std::string& path = call.text(0);
  const std::string from = path.starts_with('.') ? "." + path : path;  // one level deeper
  ConfigNode values = ConfigNode::list();
  for (const ConfigEntry& entry : selected_map(call)->node().entries()) {
    const std::string key =
        entry.key_kind == ConfigKind::kString ? entry.name : python_text(entry_key(entry));
    values.items().emplace_back(fmt::format("${{{}.{}}}", from, key));
  }
  return call.tree(std::move(values));
}

Placed now(const Call& call) {
  std::tm parts{};
  localtime_r(&call.scope.context().now, &parts);
  std::array<char, 256> buffer;
  const size_t size = std::strftime(buffer.data(), buffer.size(), call.text(0).c_str(), &parts);
  return call.value(std::string(buffer.data(), size));
}

Placed hydra(const Call& call) {
  const ConfigNode* full = call.scope.context().full;
  if (full == nullptr || full->child("hydra") == nullptr) call.fail("has no meaning here");
  const std::string& path = call.text(0);
  const Placed node = PlacedNode::root(*full)->child("hydra");
  Placed found;
  try {
    // A path without dots in front is relative to the hydra node, too.
    found = call.scope.select(node, path.starts_with('.') ? path : "." + path, {});
  } catch (const NotAContainer&) {
    found = nullptr;
  }
  if (found && !found->is_missing()) return found;
  if (!is_modelled_hydra_path(path)) {
    call.fail(fmt::format("kvscope does not know what '{}' is in Hydra", path));
  }
  return call.value({});
}

void add_leaves(const ConfigNode& node, const std::string& key, std::vector<std::string>& keys) {
  if (!node.is_map()) keys.push_back(key);
  if (!node.is_map()) return;
  for (const ConfigEntry& entry : node.entries()) {
    add_leaves(entry.value, key.empty() ? entry.name : key + "." + entry.name, keys);
  }
}

/// An expression over numbers and keys from the top of the config; interpolations in it have become
/// text.
Placed calc(const Call& call) {
  const ConfigNode& given = call.argument(0);
  if (!given.is_string()) return call.value(given);
  ExpressionScope scope;
  scope.key = [&](const std::string& key) -> ConfigNode {
    const Placed found = call.scope.select(call.container, key, {.refuse_missing = true});
    if (found) return call.scope.resolved(found);
    Placed top = call.container;
    while (top->parent()) top = top->parent();
    std::vector<std::string> known;
    add_leaves(top->node(), "", known);
    const std::string near = nearest_name(key, known);
    call.fail(fmt::format("no key '{}'{}", key,
                          near.empty() ? "" : fmt::format(". Did you mean '{}'?", near)));
  };
  return call.value(ConfigExpression(given.as_string()).value(scope));
}

struct Resolver {
  size_t least = 1;  // arguments
  size_t most = 1;
  Placed (*call)(const Call&);
};

const std::map<std::string, Resolver>& resolvers() {
  static const std::map<std::string, Resolver> all{
      {"oc.env", {1, 2, env}},
      {"oc.select", {1, 2, select}},
      {"oc.deprecated", {1, 2, deprecated}},
      {"oc.decode", {1, 1, decode}},
      {"oc.create", {1, 1, create}},
      {"oc.dict.keys", {1, 1, dict_keys}},
      {"oc.dict.values", {1, 1, dict_values}},
      {"now", {1, 1, now}},
      {"hydra", {1, 1, hydra}},
      {"calc", {1, 1, calc}},
  };
  return all;
}

}  // namespace

Placed call_resolver(InterpolationScope& scope,
                     const std::string& name,
                     const std::vector<Placed>& arguments,
                     const Placed& container,
                     const std::string& key) {
  const auto found = resolvers().find(name);
  if (found == resolvers().end()) {
    const std::map<std::string, ConfigResolver>& more = scope.context().resolvers;
    if (const auto own = more.find(name); own != more.end()) {
      std::vector<ConfigNode> values;
      values.reserve(arguments.size());
      for (const Placed& argument : arguments) values.push_back(scope.resolved(argument));
      return PlacedNode::result(own->second(values), container, key);
    }
    std::vector<std::string> known;
    for (const auto& [one, resolver] : resolvers()) known.push_back(one);
    for (const auto& [one, resolver] : more) known.push_back(one);
    throw Error(ErrorKind::kConfig,
                fmt::format("unknown resolver '{}'. {}", name, suggestion(name, known)));
  }
  const Call call{scope, name, arguments, container, key};
  const Resolver& resolver = found->second;
  if (arguments.size() < resolver.least || arguments.size() > resolver.most) {
    call.fail(fmt::format("takes {} to {} arguments, got {}", resolver.least, resolver.most,
                          arguments.size()));
  }
  return resolver.call(call);
}

}  // namespace kvscope
