#include "core/config/merge.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/config/config_key.h"
#include "core/config/format.h"
#include "core/config/interpolation.h"
#include "core/config/key_update.h"
#include "core/config/merge_value.h"

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
  const bool is_string = like.key_kind == ConfigKind::kString;
  for (ConfigEntry& entry : map.entries()) {
    if (is_string != (entry.key_kind == ConfigKind::kString)) continue;
    const bool same =
        is_string ? entry.name == like.name : same_key(entry_key(entry), entry_key(like));
    if (same) return &entry;
  }
  return nullptr;
}

struct MergeRules {
  bool closed = false;  // keys that the target lacks are errors
};

/// `root` is the tree that `target` stands in, as far as it is merged.
void merge_node(ConfigNode& target,
                const ConfigNode& source,
                const std::string& path,
                const ConfigNode& root,
                const MergeRules& rules) {
  if (target.is_interpolation()) {
    if (std::optional<ConfigNode> meant = interpolated_container(root, target, path)) {
      target = std::move(*meant);
    }
  }
  if (source.is_missing()) return;
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
enum class Parents : uint8_t { kFind, kCreateAndName };

/// Walks to the parent of `path`. Under kCreateAndName absent or null parents become mappings, and
/// bare names do as well.
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
    if (create && next && next->is_string() && !next->is_interpolation()) {
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

/// Why an override of what is not there is refused.
std::string why_absent(ConfigNode& root, const Override& override, const std::string& where) {
  try {
    const Place place = find_place(root, override.key, Parents::kFind, where);
    return where + ": " + unknown_key(*place.parent, place.parent_path, place.key, override);
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

[[noreturn]] void fail_taken(const Override& override) {
  fail(fmt::format("override '{}'", override.input),
       fmt::format("'{0}' is there already; change it with {0}=..., or ++{0}=... to add or change",
                   override.key));
}

/// What Hydra does with an override, whose keys must be there.
void apply_as_hydra(ConfigNode& root, const Override& override) {
  switch (override.kind) {
    case OverrideKind::kDelete:
      delete_key(root, override);
      return;
    case OverrideKind::kAdd:
      if (!override.node().is_container() && holds_value(root, override.key)) fail_taken(override);
      [[fallthrough]];
    case OverrideKind::kForceAdd:
      update_key(root, override, NewKeys::kAdd);
      return;
    case OverrideKind::kChange:
      update_key(root, override, NewKeys::kRefuse);
  }
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
  merge_node(root, wrapped, "", root, {});
}

void merge_value(ConfigNode& root,
                 ConfigNode& target,
                 const ConfigNode& source,
                 const std::string& path,
                 bool closed) {
  merge_node(target, source, path, root, {.closed = closed});
}

std::optional<std::string> apply_override(ConfigNode& root,
                                          const Override& override,
                                          AbsentKeys absent) {
  const std::string where = fmt::format("override '{}'", override.input);
  if (override.is_sweep())
    fail(where, "a sweep needs -m (--multirun); a list is written [a,b], a text 'a,b'");
  check_values(override.node());
  if (absent == AbsentKeys::kRefuse) {
    apply_as_hydra(root, override);
    return std::nullopt;
  }
  if (override.kind == OverrideKind::kDelete) {
    if (root.find(override.key) == nullptr) return why_absent(root, override, where);
    apply_delete(root, override, where);
    return std::nullopt;
  }
  Place place;
  try {
    place = find_place(root, override.key, Parents::kCreateAndName, where);
  } catch (const Error& error) {
    return error.what();
  }
  ConfigNode* existing = place.parent->child(place.key);
  const ConfigNode value = override.node();
  if (!existing) {
    if (!place.parent->is_map())
      return where + ": " + unknown_key(*place.parent, place.parent_path, place.key, override);
    place.parent->set(place.key, value);
    return std::nullopt;
  }
  const bool taken = !existing->is_null() && !existing->is_missing() && !value.is_container();
  if (override.kind == OverrideKind::kAdd && taken) fail_taken(override);
  if (value.kind() != existing->kind() || have_different_names(value, *existing)) {
    *existing = value;
  } else if (value.is_container() && existing->is_container()) {
    merge_node(*existing, value, override.key, root, {});
  } else {
    *existing = value;
  }
  return std::nullopt;
}

}  // namespace kvscope
