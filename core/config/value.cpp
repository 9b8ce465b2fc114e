#include "core/config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/base/error.h"
#include "core/config/big_integer.h"
#include "core/config/format.h"

namespace kvscope {

namespace {

/// Marks the digits of an integer beyond 64 bits, which `string_` keeps. No text starts so, for it
/// is not UTF-8.
constexpr std::string_view kBigInteger = "\xff\xfe";

}  // namespace

ConfigNode integer_node(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return int64_t{0};
  const std::string text = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc()) return value;
  return std::string(kBigInteger) + text;
}

std::string integer_text(const ConfigNode& node) {
  if (node.kind() != ConfigKind::kInt) return std::to_string(node.as_int64());  // refuses it
  try {
    return std::to_string(node.as_int64());
  } catch (const Error&) {
    return node.as_string();
  }
}

std::string kind_name(ConfigKind kind) {
  switch (kind) {
    case ConfigKind::kNull:
      return "null";
    case ConfigKind::kBool:
      return "a boolean";
    case ConfigKind::kInt:
      return "an integer";
    case ConfigKind::kFloat:
      return "a float";
    case ConfigKind::kString:
      return "a string";
    case ConfigKind::kList:
      return "a list";
    case ConfigKind::kMap:
      return "a mapping";
  }
  return "";
}

std::string ConfigOrigin::text() const {
  if (!source) return "";
  if (line == 0) return fmt::format("override '{}'", *source);
  return fmt::format("{}:{}:{}", *source, line, column);
}

ConfigNode::ConfigNode() = default;
ConfigNode::ConfigNode(bool value) : kind_(ConfigKind::kBool), bool_(value) {}
ConfigNode::ConfigNode(int value) : ConfigNode(static_cast<int64_t>(value)) {}
ConfigNode::ConfigNode(int64_t value) : kind_(ConfigKind::kInt), int_(value) {}
ConfigNode::ConfigNode(double value) : kind_(ConfigKind::kFloat), float_(value) {}
ConfigNode::ConfigNode(std::string value) : kind_(ConfigKind::kString), string_(std::move(value)) {
  if (string_.starts_with(kBigInteger)) {
    kind_ = ConfigKind::kInt;
    string_.erase(0, kBigInteger.size());
  }
}
ConfigNode::ConfigNode(const char* value) : ConfigNode(std::string(value)) {}
ConfigNode::ConfigNode(const ConfigNode&) = default;
ConfigNode::ConfigNode(ConfigNode&&) noexcept = default;
ConfigNode& ConfigNode::operator=(const ConfigNode&) = default;
ConfigNode& ConfigNode::operator=(ConfigNode&&) noexcept = default;
ConfigNode::~ConfigNode() = default;

ConfigNode ConfigNode::list(std::vector<ConfigNode> items) {
  ConfigNode node;
  node.kind_ = ConfigKind::kList;
  node.items_ = std::move(items);
  return node;
}

ConfigNode ConfigNode::map() {
  ConfigNode node;
  node.kind_ = ConfigKind::kMap;
  return node;
}

bool ConfigNode::is_interpolation() const {
  return is_string() && string_.find("${") != std::string::npos;
}

void ConfigNode::fail_kind(const std::string& expected) const {
  const std::string where = origin_.text();
  std::string what = kind_name(kind_);
  if (is_missing()) {
    what = "a missing value (\?\?\?)";
  } else if (!is_null() && !is_container()) {
    what += " " + (is_string() ? "'" + string_ + "'" : python_text(*this));
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("{}{}'{}' must be {}, got {}", where, where.empty() ? "" : ": ",
                          path_.empty() ? "the value" : path_, expected, what));
}

bool ConfigNode::as_bool() const {
  if (kind_ != ConfigKind::kBool) fail_kind("true or false");
  return bool_;
}

int64_t ConfigNode::as_int64() const {
  if (kind_ != ConfigKind::kInt) fail_kind("an integer");
  if (!string_.empty()) {  // fail_kind() would ask for the number again
    const std::string where = origin_.text();
    throw Error(ErrorKind::kConfig, fmt::format("{}{}'{}' must be an integer of 64 bits, got {}",
                                                where, where.empty() ? "" : ": ", path_, string_));
  }
  return int_;
}

double ConfigNode::as_double() const {
  if (kind_ == ConfigKind::kInt) {
    return string_.empty() ? static_cast<double>(int_) : std::strtod(string_.c_str(), nullptr);
  }
  if (kind_ != ConfigKind::kFloat) fail_kind("a number");
  return float_;
}

const std::string& ConfigNode::as_string() const {
  if (kind_ == ConfigKind::kInt && !string_.empty()) return string_;  // for integer_text()
  if (kind_ != ConfigKind::kString) fail_kind("a string");
  return string_;
}

std::vector<int64_t> ConfigNode::as_int64_list() const {
  if (kind_ == ConfigKind::kInt) return {as_int64()};
  if (!is_list()) fail_kind("an integer or a list of integers");
  std::vector<int64_t> values;
  for (const ConfigNode& item : items_) values.push_back(item.as_int64());
  return values;
}

std::vector<double> ConfigNode::as_double_list() const {
  if (kind_ == ConfigKind::kInt || kind_ == ConfigKind::kFloat) return {as_double()};
  if (!is_list()) fail_kind("a number or a list of numbers");
  std::vector<double> values;
  for (const ConfigNode& item : items_) values.push_back(item.as_double());
  return values;
}

std::vector<std::string> ConfigNode::as_string_list() const {
  if (is_string()) return {string_};
  if (!is_list()) fail_kind("a string or a list of strings");
  std::vector<std::string> values;
  for (const ConfigNode& item : items_) values.push_back(item.as_string());
  return values;
}

size_t ConfigNode::size() const {
  return is_list() ? items_.size() : entries_.size();
}

const std::vector<ConfigNode>& ConfigNode::items() const {
  if (!is_list()) fail_kind("a list");
  return items_;
}

std::vector<ConfigNode>& ConfigNode::items() {
  if (!is_list()) fail_kind("a list");
  return items_;
}

const std::vector<ConfigEntry>& ConfigNode::entries() const {
  if (!is_map()) fail_kind("a mapping");
  return entries_;
}

std::vector<ConfigEntry>& ConfigNode::entries() {
  if (!is_map()) fail_kind("a mapping");
  return entries_;
}

const ConfigNode* ConfigNode::child(std::string_view key) const {
  if (is_list()) {
    if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != key.npos) {
      return nullptr;
    }
    const size_t index = std::stoul(std::string(key));
    return index < items_.size() ? &items_[index] : nullptr;
  }
  for (const ConfigEntry& entry : entries_) {
    if (entry.key_kind == ConfigKind::kString && entry.name == key) return &entry.value;
  }
  return nullptr;
}

ConfigNode* ConfigNode::child(std::string_view key) {
  return const_cast<ConfigNode*>(std::as_const(*this).child(key));
}

const ConfigNode* ConfigNode::find(std::string_view dotted_path) const {
  const ConfigNode* node = this;
  while (node && !dotted_path.empty()) {
    const size_t dot = dotted_path.find('.');
    node = node->child(dotted_path.substr(0, dot));
    dotted_path = dot == dotted_path.npos ? std::string_view() : dotted_path.substr(dot + 1);
  }
  return node;
}

ConfigNode* ConfigNode::find(std::string_view dotted_path) {
  return const_cast<ConfigNode*>(std::as_const(*this).find(dotted_path));
}

const ConfigNode& ConfigNode::at(std::string_view dotted_path) const {
  if (const ConfigNode* node = find(dotted_path)) return *node;
  // Walk again as far as the path exists, to name the siblings of the first absent key.
  const ConfigNode* parent = this;
  std::string_view rest = dotted_path;
  std::string key;
  while (parent) {
    const size_t dot = rest.find('.');
    key = std::string(rest.substr(0, dot));
    const ConfigNode* next = parent->child(key);
    if (!next || dot == rest.npos) break;
    parent = next;
    rest = rest.substr(dot + 1);
  }
  std::vector<std::string> known;
  for (const ConfigEntry& entry : parent->entries_) known.push_back(entry.name);
  throw Error(ErrorKind::kConfig,
              fmt::format("config has no key '{}{}{}' ('{}' not found). {}", path_,
                          path_.empty() ? "" : ".", dotted_path, key, suggestion(key, known)));
}

ConfigNode& ConfigNode::set(std::string_view key, ConfigNode value) {
  if (is_null()) {
    const ConfigOrigin origin = origin_;
    *this = map();
    origin_ = origin;
  }
  if (!is_map()) fail_kind("a mapping");
  if (ConfigNode* existing = child(key)) {
    *existing = std::move(value);
    return *existing;
  }
  entries_.push_back({std::string(key), std::move(value)});
  return entries_.back().value;
}

ConfigNode& ConfigNode::set_path(std::string_view dotted_path, ConfigNode value) {
  const size_t dot = dotted_path.find('.');
  if (dot == dotted_path.npos) return set(dotted_path, std::move(value));
  const std::string_view key = dotted_path.substr(0, dot);
  ConfigNode* next = child(key);
  if (!next) next = &set(key, map());
  return next->set_path(dotted_path.substr(dot + 1), std::move(value));
}

bool ConfigNode::erase(std::string_view key) {
  ConfigNode* target = child(key);
  if (!target) return false;
  if (is_list()) {
    items_.erase(items_.begin() + (target - items_.data()));
    return true;
  }
  std::erase_if(entries_, [target](const ConfigEntry& entry) { return &entry.value == target; });
  return true;
}

void ConfigNode::set_origin_below(const ConfigOrigin& origin) {
  origin_ = origin;
  for (ConfigNode& item : items_) item.set_origin_below(origin);
  for (ConfigEntry& entry : entries_) entry.value.set_origin_below(origin);
}

void ConfigNode::label_paths(const std::string& path) {
  path_ = path;
  const std::string prefix = path.empty() ? "" : path + ".";
  for (size_t i = 0; i < items_.size(); ++i) items_[i].label_paths(prefix + std::to_string(i));
  for (ConfigEntry& entry : entries_) entry.value.label_paths(prefix + entry.name);
}

bool ConfigNode::operator==(const ConfigNode& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case ConfigKind::kNull:
      return true;
    case ConfigKind::kBool:
      return bool_ == other.bool_;
    case ConfigKind::kInt:
      return int_ == other.int_ && string_ == other.string_;
    case ConfigKind::kFloat:
      return float_ == other.float_ || (std::isnan(float_) && std::isnan(other.float_));
    case ConfigKind::kString:
      return string_ == other.string_;
    case ConfigKind::kList:
      return items_ == other.items_;
    case ConfigKind::kMap:
      break;
  }
  if (entries_.size() != other.entries_.size()) return false;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const ConfigEntry& left = entries_[i];
    const ConfigEntry& right = other.entries_[i];
    if (left.name != right.name || left.key_kind != right.key_kind ||
        !(left.value == right.value)) {
      return false;
    }
  }
  return true;
}

}  // namespace kvscope
