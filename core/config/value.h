#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvscope {

enum class ConfigKind { kNull, kBool, kInt, kFloat, kString, kList, kMap };

/// "an integer", "a list", ...: the kind as messages name it.
std::string kind_name(ConfigKind kind);

/// Where a value was written. Lines and columns count from 1; a command-line override has line 0.
struct ConfigOrigin {
  std::shared_ptr<const std::string> source;  // file name, or the override as typed; may be null
  int line = 0;
  int column = 0;

  /// "configs/config.yaml:7:3", "override 'a.b=c'", or "" when unknown.
  [[nodiscard]] std::string text() const;
};

struct ConfigEntry;

/// One node of a configuration: null, a scalar, a list, or a map that keeps insertion order.
/// A value type. Getters throw Error(kConfig) naming the node's path, its origin, what was
/// expected. Unresolved interpolations (`${a.b}`) and missing values (`???`) are strings until
/// composed.
class ConfigNode {
 public:
  ConfigNode();  // null
  ConfigNode(bool value);
  ConfigNode(int value);
  ConfigNode(int64_t value);
  ConfigNode(double value);
  ConfigNode(std::string value);
  ConfigNode(const char* value);
  static ConfigNode list(std::vector<ConfigNode> items = {});
  static ConfigNode map();
  ConfigNode(const ConfigNode&);
  ConfigNode(ConfigNode&&) noexcept;
  ConfigNode& operator=(const ConfigNode&);
  ConfigNode& operator=(ConfigNode&&) noexcept;
  ~ConfigNode();

  [[nodiscard]] ConfigKind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == ConfigKind::kNull; }
  [[nodiscard]] bool is_string() const { return kind_ == ConfigKind::kString; }
  [[nodiscard]] bool is_list() const { return kind_ == ConfigKind::kList; }
  [[nodiscard]] bool is_map() const { return kind_ == ConfigKind::kMap; }
  [[nodiscard]] bool is_container() const { return is_list() || is_map(); }
  [[nodiscard]] bool is_missing() const { return is_string() && string_ == "???"; }
  /// A string that still holds `${...}`.
  [[nodiscard]] bool is_interpolation() const;

  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] int64_t as_int64() const;
  [[nodiscard]] double as_double() const;  // an integer counts as a number
  [[nodiscard]] const std::string& as_string() const;
  /// Lists; a single scalar counts as a list of one.
  [[nodiscard]] std::vector<int64_t> as_int64_list() const;
  [[nodiscard]] std::vector<double> as_double_list() const;
  [[nodiscard]] std::vector<std::string> as_string_list() const;

  [[nodiscard]] size_t size() const;  // items of a list, entries of a map, else 0
  [[nodiscard]] const std::vector<ConfigNode>& items() const;
  [[nodiscard]] std::vector<ConfigNode>& items();
  [[nodiscard]] const std::vector<ConfigEntry>& entries() const;
  [[nodiscard]] std::vector<ConfigEntry>& entries();

  /// The node at a dotted path ("a.b", list indices allowed: "sizes.0"); null pointer if absent.
  [[nodiscard]] const ConfigNode* find(std::string_view dotted_path) const;
  [[nodiscard]] ConfigNode* find(std::string_view dotted_path);
  [[nodiscard]] bool contains(std::string_view dotted_path) const { return find(dotted_path); }
  /// As find; an absent path is an Error(kConfig) with the nearest and the known keys.
  [[nodiscard]] const ConfigNode& at(std::string_view dotted_path) const;

  /// One key of this map, dots not interpreted; null pointer if absent or not a map.
  [[nodiscard]] const ConfigNode* child(std::string_view key) const;
  [[nodiscard]] ConfigNode* child(std::string_view key);
  /// Sets one key of this map (in place, or appended); null becomes a map first.
  ConfigNode& set(std::string_view key, ConfigNode value);
  /// Sets a dotted path, making the maps on the way.
  ConfigNode& set_path(std::string_view dotted_path, ConfigNode value);
  bool erase(std::string_view key);

  [[nodiscard]] const ConfigOrigin& origin() const { return origin_; }
  void set_origin(ConfigOrigin origin) { origin_ = std::move(origin); }
  /// Gives this node and all below it the same origin.
  void set_origin_below(const ConfigOrigin& origin);
  /// Dotted path from the root, "" at the root; valid after label_paths().
  [[nodiscard]] const std::string& path() const { return path_; }
  void label_paths(const std::string& path = "");

  /// Same kinds, values and order of keys; origins do not count. NaN equals NaN.
  bool operator==(const ConfigNode& other) const;

 private:
  [[noreturn]] void fail_kind(const std::string& expected) const;

  ConfigKind kind_ = ConfigKind::kNull;
  bool bool_ = false;
  int64_t int_ = 0;
  double float_ = 0;
  std::string string_;
  std::vector<ConfigNode> items_;
  std::vector<ConfigEntry> entries_;
  ConfigOrigin origin_;
  std::string path_;
};

/// One entry of a map. YAML allows keys that are not strings (1, 2.5, true, null): `name` is then
/// their spelling and `key_kind` their kind. Paths and overrides reach string keys only.
struct ConfigEntry {
  std::string name;
  ConfigNode value;
  ConfigKind key_kind = ConfigKind::kString;
};

}  // namespace kvscope
