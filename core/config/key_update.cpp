#include "core/config/key_update.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/config/big_integer.h"
#include "core/config/config_key.h"
#include "core/config/format.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
#include "core/config/interpolation_text.h"
#include "core/config/merge_value.h"
#include "core/config/number_text.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const Override& override, const std::string& what) {
  throw Error(ErrorKind::kConfig, fmt::format("override '{}': {}", override.input, what));
}

std::vector<std::string> known_keys(const ConfigNode& node) {
  std::vector<std::string> names;
  if (!node.is_map()) return names;
  for (const ConfigEntry& entry : node.entries()) names.push_back(entry.name);
  return names;
}

/// The key of a mapping, or item of a list.
ConfigNode* child_of(ConfigNode& parent,
                     const std::string& path,
                     const std::string& key,
                     const Override& override) {
  if (!parent.is_list()) return parent.child(key);
  const std::optional<ConfigNode> index = integer_of_text(key);
  if (!index) fail(override, fmt::format("'{}' is a list; '{}' is no index", path, key));
  return parent.child(integer_text(*index));
}

/// A value that may be added or changed; a list takes no new items.
ConfigNode& settle(ConfigNode& parent,
                   const std::string& path,
                   const std::string& key,
                   ConfigNode value,
                   const Override& override,
                   NewKeys new_keys) {
  if (ConfigNode* existing = child_of(parent, path, key, override)) {
    *existing = std::move(value);
    return *existing;
  }
  if (parent.is_list() || new_keys == NewKeys::kRefuse) {
    fail(override, unknown_key(parent, path, key, override));
  }
  return parent.set(key, std::move(value));
}

/// Equal as Python sees it: 1, 1.0 and true are, and mappings whose keys stand in another order.
bool equal(const ConfigNode& a, const ConfigNode& b) {
  if (a.is_list() && b.is_list()) return std::ranges::equal(a.items(), b.items(), equal);
  if (!a.is_map() || !b.is_map()) return !a.is_container() && !b.is_container() && same_key(a, b);
  if (a.size() != b.size()) return false;
  return std::ranges::all_of(a.entries(), [&](const ConfigEntry& entry) {
    return std::ranges::any_of(b.entries(), [&](const ConfigEntry& other) {
      return same_key(entry_key(entry), entry_key(other)) && equal(entry.value, other.value);
    });
  });
}

}  // namespace

std::string unknown_key(const ConfigNode& parent,
                        const std::string& parent_path,
                        const std::string& key,
                        const Override& override) {
  if (parent.is_list()) {
    return fmt::format("'{}' has no item {}; it has {}", parent_path, key, parent.size());
  }
  const std::string prefix = parent_path.empty() ? "" : parent_path + ".";
  const std::string near = nearest_name(key, known_keys(parent));
  const std::string holder = parent_path.empty() ? "the config" : "'" + parent_path + "'";
  std::string text = fmt::format("unknown key '{}{}'. {}Known in {}: {}.", prefix, key,
                                 near.empty() ? "" : "Did you mean '" + prefix + near + "'? ",
                                 holder, fmt::join(known_keys(parent), ", "));
  if (override.kind == OverrideKind::kChange && takes_new_keys(override.key)) {
    text += fmt::format(" (A key that is new on purpose is added with +{}.)", override.input);
  }
  return text;
}

void update_key(ConfigNode& root, const Override& override, NewKeys new_keys) {
  const std::vector<std::string> keys = split_key(override.key);
  ConfigNode* parent = &root;
  std::string path;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    ConfigNode* next = child_of(*parent, path, keys[i], override);
    if (next != nullptr && !next->is_container() && new_keys == NewKeys::kRefuse) {
      fail(override, fmt::format("'{}{}{}' is {}, it holds no '{}'", path, path.empty() ? "" : ".",
                                 keys[i], kind_name(next->kind()), keys[i + 1]));
    }
    if (next == nullptr || !next->is_container()) {
      next = &settle(*parent, path, keys[i], ConfigNode::map(), override, new_keys);
    }
    path += (path.empty() ? "" : ".") + keys[i];
    parent = next;
  }
  ConfigNode value = override.node();
  ConfigNode* existing = child_of(*parent, path, keys.back(), override);
  if (existing != nullptr && existing->is_container() && value.is_container()) {
    merge_value(root, *existing, value, override.key, new_keys == NewKeys::kRefuse);
  } else {
    settle(*parent, path, keys.back(), std::move(value), override, new_keys);
  }
}

bool holds_value(const ConfigNode& root, const std::string& key) {
  const std::optional<SelectedValue> found = select_value(root, key);
  return found && !found->value.is_null();
}

void delete_key(ConfigNode& root, const Override& override) {
  const std::optional<SelectedValue> found = select_value(root, override.key);
  if (!found || found->value.is_null()) {
    if (root.find(override.key) != nullptr) {
      fail(override, fmt::format("'{}' holds no value to delete", override.key));
    }
    // Say what is known where the path ends.
    const ConfigNode* parent = &root;
    std::string path;
    for (const std::string& key : split_key(override.key)) {
      const ConfigNode* next = parent->child(key);
      if (next == nullptr) fail(override, unknown_key(*parent, path, key, override));
      path += (path.empty() ? "" : ".") + key;
      parent = next;
    }
    fail(override, fmt::format("nothing is at '{}'", override.key));
  }
  const ConfigNode value = override.node();
  if (!value.is_null() && !equal(value, found->value)) {
    fail(override, fmt::format("'{}' is {} and not {}", override.key, python_text(found->value),
                               python_text(value)));
  }
  // The value may stand for another one; what holds it, under the override's own last key, goes.
  const size_t dot = override.key.rfind('.');
  const std::string last = dot == std::string::npos ? override.key : override.key.substr(dot + 1);
  const auto holder = dot == std::string::npos ? std::optional<SelectedValue>(SelectedValue{})
                                               : select_value(root, override.key.substr(0, dot));
  if (!holder || !holder->in_tree) return;
  ConfigNode* parent = &root;
  for (const std::string& key : holder->keys) {
    if (parent != nullptr) parent = parent->child(key);
  }
  if (parent != nullptr) parent->erase(last);
}

}  // namespace kvscope
