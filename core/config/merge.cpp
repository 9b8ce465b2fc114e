#include "core/config/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kConfig, where.empty() ? what : where + ": " + what);
}

std::vector<std::string> known_keys(const ConfigNode& node) {
  std::vector<std::string> names;
  if (node.is_map()) {
    for (const ConfigEntry& entry : node.entries()) names.push_back(entry.name);
  }
  return names;
}

std::string joined_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

ConfigEntry* find_entry(ConfigNode& map, const ConfigEntry& like) {
  for (ConfigEntry& entry : map.entries()) {
    if (entry.name == like.name && entry.key_kind == like.key_kind) return &entry;
  }
  return nullptr;
}

struct MergeRules {
  bool closed = false;  // keys that the target lacks are errors
};

void merge_node(ConfigNode& target,
                const ConfigNode& source,
                const std::string& path,
                const ConfigNode& root,
                const MergeRules& rules) {
  if (source.is_missing()) return;
  if (source.is_map() && target.is_interpolation()) {
    const std::optional<ConfigNode> meant = interpolated_node(root, target, path);
    if (meant && meant->is_map()) target = *meant;
  }
  const bool clash = (source.is_map() && target.is_list()) || (source.is_list() && target.is_map());
  if (clash) {
    fail(source.origin().text(),
         fmt::format("'{}' is {} here but {} at {}", path, kind_name(source.kind()),
                     kind_name(target.kind()), target.origin().text()));
  }
  if (!source.is_map() || !target.is_map()) {
    target = source;
    return;
  }
  for (const ConfigEntry& entry : source.entries()) {
    if (ConfigEntry* existing = find_entry(target, entry)) {
      merge_node(existing->value, entry.value, joined_path(path, entry.name), root, rules);
      continue;
    }
    if (rules.closed) {
      fail(entry.value.origin().text(), fmt::format("no key '{}' in '{}'. {}", entry.name, path,
                                                    suggestion(entry.name, known_keys(target))));
    }
    target.entries().push_back(entry);
  }
}

/// The parent of the last key of a dotted path.
struct Place {
  ConfigNode* parent = nullptr;
  std::string parent_path;
  std::string key;
};

/// "key_norm" as {name: key_norm}, which its options can stand beside.
ConfigNode named(const ConfigNode& name) {
  ConfigNode node = ConfigNode::map();
  node.set_origin(name.origin());
  node.set("name", name);
  return node;
}

/// Parents that are not there, or in the way, as an override finds them.
enum class Parents : uint8_t { kFind, kCreate, kCreateAndName };

/// Walks to the parent of `path`. Under kCreate absent or null parents become mappings, under
/// kCreateAndName bare names do as well.
Place find_place(ConfigNode& root,
                 const std::string& path,
                 Parents parents,
                 const std::string& where) {
  const bool create = parents != Parents::kFind;
  Place place{&root, "", ""};
  std::string rest = path;
  while (true) {
    const size_t dot = rest.find('.');
    place.key = rest.substr(0, dot);
    if (dot == rest.npos) return place;
    rest = rest.substr(dot + 1);
    ConfigNode* next = place.parent->child(place.key);
    if (create && place.parent->is_map() && (!next || next->is_null() || next->is_missing())) {
      next = &place.parent->set(place.key, ConfigNode::map());
    }
    if (parents == Parents::kCreateAndName && next && next->is_string() &&
        !next->is_interpolation()) {
      *next = named(*next);
    }
    const std::string next_path = joined_path(place.parent_path, place.key);
    if (!next) {
      fail(where, fmt::format("no key '{}'. {}", next_path,
                              suggestion(place.key, known_keys(*place.parent))));
    }
    if (!next->is_container()) {
      fail(where,
           fmt::format("'{}' is {}, it holds no '{}'", next_path, kind_name(next->kind()), rest));
    }
    place.parent = next;
    place.parent_path = next_path;
  }
}

std::string nearest_path(const Place& place) {
  const std::string near = nearest_name(place.key, known_keys(*place.parent));
  return near.empty() ? "" : joined_path(place.parent_path, near);
}

std::string unknown_key(const Place& place, const Override& override) {
  if (place.parent->is_list()) {
    return fmt::format("'{}' has no item {}; it has {}", place.parent_path, place.key,
                       place.parent->size());
  }
  const std::string near = nearest_path(place);
  const std::string holder =
      place.parent_path.empty() ? "the config" : "'" + place.parent_path + "'";
  std::string text = fmt::format("unknown key '{}'. {}Known in {}: {}.", override.key,
                                 near.empty() ? "" : "Did you mean '" + near + "'? ", holder,
                                 fmt::join(known_keys(*place.parent), ", "));
  if (override.kind == OverrideKind::kChange && takes_new_keys(override.key)) {
    text += fmt::format(" (A key that is new on purpose is added with +{}.)", override.input);
  }
  return text;
}

/// Why an override of what is not there is refused.
std::string why_absent(ConfigNode& root, const Override& override, const std::string& where) {
  try {
    const Place place = find_place(root, override.key, Parents::kFind, where);
    return where + ": " + unknown_key(place, override);
  } catch (const Error& error) {
    return error.what();  // a parent is not there
  }
}

void apply_delete(ConfigNode& root, const Override& override, const std::string& where) {
  const Place place = find_place(root, override.key, Parents::kFind, where);
  const ConfigNode& existing = *place.parent->child(place.key);
  const ConfigNode value = override.node();
  if (!value.is_null() && !(value == existing)) {
    fail(where, fmt::format("'{}' is {} and not {}", override.key, python_text(existing),
                            python_text(value)));
  }
  place.parent->erase(place.key);
}

/// Whether two mappings say what different things are like: {name: kivi, bits: 4}, {name: as_is}.
bool have_different_names(const ConfigNode& one, const ConfigNode& other) {
  const ConfigNode* first = one.child("name");
  const ConfigNode* second = other.child("name");
  return first != nullptr && second != nullptr && !(*first == *second);
}

}  // namespace

void merge_config(ConfigNode& root, const std::string& package, const ConfigNode& source) {
  ConfigNode wrapped = source;
  for (std::string rest = package; !rest.empty();) {
    const size_t dot = rest.rfind('.');
    ConfigNode outer = ConfigNode::map();
    outer.set_origin(source.origin());
    outer.set(dot == rest.npos ? rest : rest.substr(dot + 1), std::move(wrapped));
    wrapped = std::move(outer);
    rest = dot == rest.npos ? "" : rest.substr(0, dot);
  }
  if (!root.is_map()) root = ConfigNode::map();
  // Interpolations into the tree that is being merged see it as it was before this file.
  const ConfigNode before = root;
  merge_node(root, wrapped, "", before, {});
}

std::optional<std::string> apply_override(ConfigNode& root,
                                          const Override& override,
                                          AbsentKeys absent) {
  const std::string where = fmt::format("override '{}'", override.input);
  if (override.is_sweep())
    fail(where, "a sweep needs -m (--multirun); a list is written [a,b], a text 'a,b'");
  const bool adds_absent = absent == AbsentKeys::kAdd;
  const auto nothing_there = [&](std::string why) {
    if (!adds_absent) throw Error(ErrorKind::kConfig, why);
    return std::optional(std::move(why));
  };
  if (override.kind == OverrideKind::kDelete) {
    if (root.find(override.key) == nullptr) return nothing_there(why_absent(root, override, where));
    apply_delete(root, override, where);
    return std::nullopt;
  }
  const bool create = adds_absent || override.kind != OverrideKind::kChange;
  Place place;
  try {
    place = find_place(root, override.key,
                       adds_absent ? Parents::kCreateAndName
                       : create    ? Parents::kCreate
                                   : Parents::kFind,
                       where);
  } catch (const Error& error) {
    return nothing_there(error.what());
  }
  ConfigNode* existing = place.parent->child(place.key);
  const ConfigNode value = override.node();
  if (!existing) {
    if (!create || !place.parent->is_map()) {
      return nothing_there(where + ": " + unknown_key(place, override));
    }
    place.parent->set(place.key, value);
    return std::nullopt;
  }
  const bool taken = !existing->is_null() && !existing->is_missing() && !value.is_container();
  if (override.kind == OverrideKind::kAdd && taken) {
    fail(where, fmt::format(
                    "'{0}' is there already; change it with {0}=..., or ++{0}=... to add or change",
                    override.key));
  }
  const bool other_kind = value.kind() != existing->kind();
  if (adds_absent && (other_kind || have_different_names(value, *existing))) {
    *existing = value;
  } else if (value.is_container() && existing->is_container()) {
    const ConfigNode before = root;
    merge_node(*existing, value, override.key, before, {.closed = !create});
  } else {
    *existing = value;
  }
  return std::nullopt;
}

}  // namespace kvscope
