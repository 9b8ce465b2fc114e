#include "core/config/interpolation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/config_key.h"
#include "core/config/format.h"
#include "core/config/interpolation_scope.h"
#include "core/config/interpolation_text.h"
#include "core/config/placed_node.h"

namespace kvscope {
namespace {

constexpr size_t kDeepest = 150;           // interpolations inside interpolations
constexpr size_t kMostValues = 2'000'000;  // values made in all: ${a} ${a} chains double each time
constexpr size_t kMostBytes = 64 << 20;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, what);
}

class Evaluation : public InterpolationScope {
 public:
  explicit Evaluation(const ResolverContext& context) : context_(context) {}

  /// The tree below `place` with every interpolation in it replaced.
  ConfigNode resolved(const Placed& place) override {
    if (++values_ > kMostValues) fail("more than two million values; interpolations multiply");
    const Placed meant = followed(place);
    ConfigNode result = meant->node();
    if (meant->is_container()) {
      if (++open_containers_ > kDeepest) fail("interpolations nested too deep");
      for (size_t i = 0; i < result.size(); ++i) part(result, i) = resolved(meant->at(i));
      --open_containers_;
    }
    if (meant != place) result.set_origin_below(place->node().origin());
    return result;
  }

  ConfigNode resolved_where_possible(const Placed& place) {
    if (!place->is_container()) {
      try {
        return resolved(place);
      } catch (const Error&) {
        open_containers_ = 0;
        return place->node();
      }
    }
    ConfigNode result = place->node();
    for (size_t i = 0; i < result.size(); ++i) {
      part(result, i) = resolved_where_possible(place->at(i));
    }
    return result;
  }

  /// What the value stands for: itself unless it is an interpolation.
  Placed followed(const Placed& place) {
    if (!place->is_interpolation()) return place;
    const ConfigNode& node = place->node();
    const auto first = std::ranges::find(active_, &node, &Active::node);
    if (first != active_.end()) {
      std::string cycle;
      for (auto step = first; step != active_.end(); ++step) cycle += step->path + " -> ";
      fail("interpolations in a cycle: " + cycle + place->path());
    }
    if (active_.size() > kDeepest) fail("interpolations nested too deep");
    const size_t depth = active_.size();
    active_.push_back({&node, place->path()});
    try {
      Placed result = evaluate(expression_of(node.as_string()), place->parent(), place->key());
      active_.pop_back();
      return result;
    } catch (const Error& error) {
      active_.resize(depth);
      rethrow_from(*place, error);
    }
  }

  // --- InterpolationScope ---------------------------------------------------------------------

  Placed select(const Placed& container,
                const std::string& path,
                const SelectRules& rules) override {
    const auto [from, rest] = start_of(container, path);
    if (rest.empty()) return from;
    const std::vector<std::string> keys = split_key(rest);
    Placed place = from;
    for (size_t i = 0; i < keys.size(); ++i) {
      Placed next = place->child(keys[i]);
      if (!next) return nullptr;
      if (next->is_missing()) {
        if (rules.refuse_missing) {
          fail(fmt::format("'{}' is missing (\?\?\?)", next->path()));
        }
      } else {
        next = followed(next);
      }
      if (i + 1 < keys.size() && !next->is_container()) {
        throw NotAContainer(ErrorKind::kConfig,
                            fmt::format("'{}' is {}, it holds no '{}'", next->path(),
                                        kind_name(next->node().kind()), keys[i + 1]));
      }
      place = std::move(next);
    }
    return place;
  }

  ConfigNode evaluate_element(const std::string& text, const Placed& container) override {
    return value_of(evaluate(parse_element(text), container, ""));
  }

  [[nodiscard]] const ResolverContext& context() const override { return context_; }

 private:
  struct Active {
    const ConfigNode* node;
    std::string path;
  };

  static ConfigNode& part(ConfigNode& container, size_t i) {
    return container.is_list() ? container.items()[i] : container.entries()[i].value;
  }

  const Expression& expression_of(const std::string& text) {
    const auto known = expressions_.find(text);
    if (known != expressions_.end()) return *known->second;
    auto parsed = std::make_unique<const Expression>(parse_interpolations(text));
    return *expressions_.emplace(text, std::move(parsed)).first->second;
  }

  /// The innermost value names itself; the ones that refer to it only pass the message on.
  [[noreturn]] static void rethrow_from(const PlacedNode& place, const Error& error) {
    if (std::string_view(error.what()).find("while resolving") != std::string_view::npos) throw;
    fail(fmt::format("{}: {}, while resolving '{}: {}'", place.node().origin().text(), error.what(),
                     place.path(), place.node().as_string()));
  }

  /// Where a path starts, and what is left of it.
  static std::pair<Placed, std::string> start_of(const Placed& container, std::string path) {
    Placed from = container;
    if (!path.starts_with('.')) {
      while (from->parent()) from = from->parent();
      return {from, std::move(path)};
    }
    path.erase(0, 1);
    while (path.starts_with('.')) {
      path.erase(0, 1);
      from = from->parent();
      if (!from) fail("the dots lead above the top of the config");
    }
    return {from, std::move(path)};
  }

  static ConfigNode value_of(const Placed& place) { return place->node(); }

  Placed evaluate(const Expression& expression, const Placed& container, const std::string& key) {
    if (!container) fail("an interpolation stands in no config");
    switch (expression.kind) {
      case ExpressionKind::kReference:
        return refer(text_of_parts(expression.parts, container), container);
      case ExpressionKind::kResolver:
        return resolve(expression, container, key);
      default:
        break;
    }
    return PlacedNode::result(plain(expression, container), container, key);
  }

  /// The value of what is no interpolation itself.
  ConfigNode plain(const Expression& expression, const Placed& container) {
    switch (expression.kind) {
      case ExpressionKind::kScalar:
        return expression.scalar;
      case ExpressionKind::kText:
        return text_of_values(expression.parts, container);
      case ExpressionKind::kList: {
        ConfigNode list = ConfigNode::list();
        for (const Expression& part : expression.parts) {
          list.items().push_back(value_of(evaluate(part, container, "")));
        }
        return list;
      }
      default:
        break;
    }
    ConfigNode map = ConfigNode::map();
    for (size_t i = 0; i < expression.keys.size(); ++i) {
      const ConfigNode& key = expression.keys[i];
      map.entries().push_back(
          {key_spelling(key), value_of(evaluate(expression.parts[i], container, "")), key.kind()});
    }
    return map;
  }

  std::string text_of_values(const std::vector<Expression>& parts, const Placed& container) {
    std::string out;
    for (const Expression& part : parts) {
      out += python_text(value_of(evaluate(part, container, "")));
      bytes_ += out.size();
      if (bytes_ > kMostBytes) fail("interpolations make more than 64 MiB of text");
    }
    return out;
  }

  /// The text of a reference, or a resolver's name, whose interpolations must give text.
  std::string text_of_parts(const std::vector<Expression>& parts, const Placed& container) {
    std::string out;
    for (const Expression& part : parts) {
      const ConfigNode value = value_of(evaluate(part, container, ""));
      if (!value.is_string()) {
        fail(fmt::format("{} where a key is needed", kind_name(value.kind())));
      }
      out += value.as_string();
    }
    return out;
  }

  Placed refer(const std::string& path, const Placed& container) {
    const Placed found = select(container, path, {.refuse_missing = true});
    if (!found) fail_absent(path, container);
    for (Placed above = container; above; above = above->parent()) {
      if (&above->node() == &found->node()) {
        fail(fmt::format("interpolations in a cycle: '{}' stands around itself", path));
      }
    }
    return found;
  }

  [[noreturn]] void fail_absent(const std::string& path, const Placed& container) {
    auto [place, rest] = start_of(container, path);
    std::string key;
    for (const std::string& one : split_key(rest)) {
      key = one;
      const Placed next = place->child(one);
      if (!next) break;
      place = followed(next);
    }
    std::vector<std::string> known;
    if (place->node().is_map()) {
      for (const ConfigEntry& entry : place->node().entries()) known.push_back(entry.name);
    }
    const std::string from = path.starts_with('.') ? place->path() : "";
    fail(fmt::format("no key '{}' ('{}' not found). {}", from.empty() ? rest : from + "." + key,
                     key, suggestion(key, known)));
  }

  Placed resolve(const Expression& expression, const Placed& container, const std::string& key) {
    std::string name;
    for (const Expression& part : expression.name) {
      name += (name.empty() ? "" : ".") + text_of_parts({part}, container);
    }
    std::vector<Placed> arguments;
    arguments.reserve(expression.parts.size());
    for (const Expression& part : expression.parts) {
      arguments.push_back(evaluate(part, container, ""));
    }
    return call_resolver(*this, name, arguments, container, key);
  }

  const ResolverContext& context_;
  std::vector<Active> active_;  // values being evaluated, for cycles
  std::map<std::string, std::unique_ptr<const Expression>> expressions_;
  size_t open_containers_ = 0;
  size_t values_ = 0;
  size_t bytes_ = 0;
};

/// The place of a dotted path that overrides and merging made, keys of any kind.
Placed place_at(const ConfigNode& root, const std::string& path) {
  Placed place = PlacedNode::root(root);
  if (path.empty()) return place;
  for (const std::string& key : split_key(path)) {
    place = place->is_container() ? place->child(key) : nullptr;
    if (!place) return nullptr;
  }
  return place;
}

}  // namespace

ConfigNode resolve_interpolations(const ConfigNode& root, const ResolverContext& context) {
  return Evaluation(context).resolved(PlacedNode::root(root));
}

ConfigNode resolve_where_possible(const ConfigNode& subtree,
                                  const std::string& path,
                                  const ResolverContext& context) {
  const Placed place = context.full ? place_at(*context.full, path) : PlacedNode::root(subtree);
  return place ? Evaluation(context).resolved_where_possible(place) : subtree;
}

std::optional<SelectedValue> select_value(const ConfigNode& root,
                                          const std::string& path,
                                          const ResolverContext& context) {
  Evaluation evaluation(context);
  Placed found;
  try {
    found = evaluation.select(PlacedNode::root(root), "." + path, {});
  } catch (const NotAContainer&) {
    return std::nullopt;
  }
  if (!found || found->is_missing()) return std::nullopt;
  SelectedValue selected;
  selected.value = evaluation.resolved_where_possible(found);
  for (Placed place = found; place; place = place->parent()) {
    if (place->parent()) {
      selected.keys.insert(selected.keys.begin(), place->key());
    } else {
      selected.in_tree = &place->node() == &root;
    }
  }
  return selected;
}

std::optional<ConfigNode> interpolated_container(const ConfigNode& root,
                                                 const ConfigNode& node,
                                                 const std::string& path) {
  if (!node.is_interpolation()) return std::nullopt;
  const ResolverContext context;
  try {
    const size_t dot = path.rfind('.');
    const bool top = dot == path.npos;
    const Placed container = place_at(root, top ? "" : path.substr(0, dot));
    if (!container || !container->is_container()) return std::nullopt;
    const Placed place = PlacedNode::made(node, container, top ? path : path.substr(dot + 1));
    const Placed meant = Evaluation(context).followed(place);
    return meant->is_container() ? std::optional(meant->node()) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_values(const ConfigNode& tree) {
  if (tree.is_interpolation()) {
    try {
      static_cast<void>(parse_interpolations(tree.as_string()));
    } catch (const Error& error) {
      const std::string where = tree.origin().text();
      fail(fmt::format("{}{}{}", where, where.empty() ? "" : ": ", error.what()));
    }
  }
  if (tree.is_list()) {
    for (const ConfigNode& item : tree.items()) check_values(item);
  } else if (tree.is_map()) {
    for (const ConfigEntry& entry : tree.entries()) {
      if (entry.key_kind == ConfigKind::kNull) {
        fail(fmt::format("{}: null is no key; quote it to have the text",
                         entry.value.origin().text()));
      }
      check_values(entry.value);
    }
  }
}

}  // namespace kvscope
