#include "core/config/defaults_item.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "core/base/error.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const ConfigNode& node, const std::string& what) {
  throw Error(ErrorKind::kConfig, fmt::format("{}: {}", node.origin().text(), what));
}

/// What stands behind the `@`, up to a `:`; none without one.
std::optional<std::string> take_package(std::string& text) {
  const size_t at = text.find('@');
  if (at == text.npos) return std::nullopt;
  std::string package = text.substr(at + 1, text.find(':', at) - at - 1);
  text.resize(at);
  return package == "_here_" ? "" : package;
}

/// "optional override /group@package" into flags, path and package.
void read_group_key(const ConfigNode& node, std::string text, DefaultsItem& item) {
  item.package = take_package(text);
  std::istringstream words(text);
  std::vector<std::string> parts;
  for (std::string word; words >> word;) parts.push_back(word);
  if (parts.empty()) fail(node, "an item without its group");
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] == "optional") {
      item.optional = true;
    } else if (parts[i] == "override") {
      item.is_override = true;
    } else {
      fail(node, fmt::format("unknown keyword '{}'. {}", parts[i],
                             suggestion(parts[i], {"optional", "override"})));
    }
  }
  item.path = parts.back();
}

DefaultsItem parse_item(const ConfigNode& node) {
  DefaultsItem item;
  item.origin = node.origin().text();
  if (node.is_string()) {
    // A config's name is taken as it stands: keywords belong to groups.
    item.path = node.as_string();
    item.package = take_package(item.path);
    item.is_self = item.path == "_self_";
    if (item.is_self && item.package) fail(node, "_self_ goes to no other package");
    return item;
  }
  if (!node.is_map()) {
    fail(node, fmt::format("a defaults item is 'group: option' or a config, not {}",
                           kind_name(node.kind())));
  }
  if (node.size() != 1) {
    fail(node, fmt::format("a defaults item has one 'group: option', this has {}", node.size()));
  }
  const ConfigEntry& entry = node.entries().front();
  if (entry.key_kind != ConfigKind::kString) {
    fail(node, fmt::format("'{}' is no name of a group; quote it", entry.name));
  }
  item.is_group = true;
  read_group_key(node, entry.name, item);
  item.value = defaults_value(entry.value, entry.value.origin().text());
  item.origin = entry.value.origin().text();
  return item;
}

std::string join(const std::string& left, const std::string& right, char separator) {
  if (left.empty() || right.empty()) return left + right;
  return left + separator + right;
}

}  // namespace

DefaultsValue defaults_value(const ConfigNode& node, const std::string& where) {
  DefaultsValue value;
  if (node.is_null()) return value;
  if (node.is_list() && std::ranges::all_of(node.items(), &ConfigNode::is_string)) {
    value.is_list = true;
    value.options = node.as_string_list();
    return value;
  }
  if (!node.is_string()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: a group's option is a word, null or a list of words, not {}",
                            where, kind_name(node.kind())));
  }
  value.missing = node.is_missing();
  value.name = node.as_string();
  return value;
}

std::vector<DefaultsItem> parse_defaults_list(const ConfigNode& list) {
  std::vector<DefaultsItem> items;
  for (const ConfigNode& node : list.items()) {
    items.push_back(parse_item(node));
    if (items.back().is_self && std::ranges::count_if(items, &DefaultsItem::is_self) > 1) {
      fail(node, "a second _self_");
    }
  }
  return items;
}

void DefaultsItem::attach(const DefaultsItem& parent) {
  const std::string path_of_parent = parent.config_path();
  if (parent.is_group) {
    parent_group = parent.group_path();
  } else {
    const size_t slash = path_of_parent.rfind('/');
    parent_group = slash == path_of_parent.npos ? "" : path_of_parent.substr(0, slash);
  }
  parent_package = parent.final_package();
  const size_t group = package ? package->find("_group_") : std::string::npos;
  if (group != std::string::npos) {
    std::string dotted = group_path();
    std::ranges::replace(dotted, '/', '.');
    package = "_global_." + package->replace(group, 7, dotted);
  }
}

bool DefaultsItem::is_interpolation() const {
  const std::string& text = is_group ? value.name.value_or("") : path;
  return text.find("${") != text.npos;
}

std::string DefaultsItem::group_path() const {
  std::string group = path;
  if (!is_group) {
    const size_t slash = path.rfind('/');
    group = slash == path.npos ? "" : path.substr(0, slash);
  }
  if (path.starts_with('/')) return group.empty() ? "" : group.substr(1);
  return join(parent_group, group, '/');
}

std::string DefaultsItem::config_path() const {
  if (is_group) return group_path() + "/" + value.name.value_or("");
  if (path.starts_with('/')) return path.substr(1);
  return join(parent_group, path, '/');
}

std::string DefaultsItem::final_package(bool with_header) const {
  std::string own;
  if (package) {
    own = *package == "_here_" ? "" : *package;
  } else if (with_header && header) {
    own = header->starts_with("_global_") ? *header : "_global_." + *header;
  } else {
    const size_t start = path.starts_with('/') ? 1 : 0;
    const size_t slash = path.rfind('/');
    const size_t end = is_group ? path.size() : slash == path.npos ? start : slash;
    own = end > start ? path.substr(start, end - start) : "";
    std::ranges::replace(own, '/', '.');
  }
  const std::string full = join(parent_package, own, '.');
  const size_t global = full.rfind("_global_");
  if (global == full.npos) return full;
  std::string rest = full.substr(global + 8);
  while (rest.starts_with('.')) rest.erase(0, 1);
  return rest;
}

std::string DefaultsItem::override_key() const {
  const std::string group = group_path();
  std::string dotted = group;
  std::ranges::replace(dotted, '/', '.');
  const std::string package_of_item = final_package(false);
  if (package_of_item == dotted) return group;
  return group + "@" + (package_of_item.empty() ? "_global_" : package_of_item);
}

DefaultsItem DefaultsItem::option(const std::string& name) const {
  DefaultsItem item = *this;
  item.is_group = false;
  item.from_list = true;
  item.path = path + "/" + name;
  item.value = {};
  return item;
}

}  // namespace kvscope
