#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// What a defaults item chooses: an option, none (null), several, or nothing yet (???).
struct DefaultsValue {
  std::optional<std::string> name;
  std::vector<std::string> options;
  bool is_list = false;
  bool missing = false;
};

/// One line of a defaults list, with its place in the tree of configs once attach() was called.
struct DefaultsItem {
  std::string path;  // group ("policy", "/policy") or config ("base", "/shared/base")
  bool is_group = false;
  bool is_self = false;
  bool is_override = false;
  bool optional = false;
  bool appended = false;   // by +group=option
  bool from_list = false;  // one option of a list; such items cannot be overridden singly
  DefaultsValue value;     // of a group
  std::optional<std::string> package;  // after the @
  std::optional<std::string> header;   // the chosen file's own `# @package`
  std::string origin;                  // for messages
  std::string parent_group;            // group of the config that holds the list
  std::string parent_package;

  void attach(const DefaultsItem& parent);
  [[nodiscard]] bool is_interpolation() const;
  [[nodiscard]] std::string group_path() const;
  [[nodiscard]] std::string config_path() const;
  /// Where the config goes: parent's package and own one; an absolute `_global_` cuts the parent
  /// off.
  [[nodiscard]] std::string final_package(bool with_header = true) const;
  /// How overrides name it: "policy", or "db@src" where the package is not the group's own.
  [[nodiscard]] std::string override_key() const;
  /// One option of a group's list as an item of its own.
  [[nodiscard]] DefaultsItem option(const std::string& name) const;
};

/// A group's value as written: word, null, ???, or a list of words. Throws Error(kConfig).
DefaultsValue defaults_value(const ConfigNode& node, const std::string& where);

/// Throws Error(kConfig) with file:line:column.
std::vector<DefaultsItem> parse_defaults_list(const ConfigNode& list);

}  // namespace kvscope
