#include "core/config/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> names;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    names.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return names;
}

enum class Match { kNone, kAbove, kExact, kBelow };

/// How a config path lies to a schema key: above it, at it, or below it.
Match match(const std::vector<std::string>& path, const std::vector<std::string>& key) {
  const size_t shared = std::min(path.size(), key.size());
  for (size_t i = 0; i < shared; ++i) {
    if (key[i] != "*" && key[i] != path[i]) return Match::kNone;
  }
  if (path.size() < key.size()) return Match::kAbove;
  return path.size() == key.size() ? Match::kExact : Match::kBelow;
}

std::string type_name(KeyType type) {
  switch (type) {
    case KeyType::kBool:
      return "bool";
    case KeyType::kInt:
      return "int";
    case KeyType::kFloat:
      return "float";
    case KeyType::kString:
      return "string";
    case KeyType::kList:
      return "list";
    case KeyType::kNumberOrList:
      return "number or list of numbers";
    case KeyType::kOpen:
      return "anything";
  }
  return "";
}

bool is_number(const ConfigNode& node) {
  return node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat;
}

bool has_type(const ConfigNode& node, KeyType type) {
  switch (type) {
    case KeyType::kBool:
      return node.kind() == ConfigKind::kBool;
    case KeyType::kInt:
      return node.kind() == ConfigKind::kInt;
    case KeyType::kFloat:
      return is_number(node);
    case KeyType::kString:
      return node.is_string();
    case KeyType::kList:
      return node.is_list();
    case KeyType::kNumberOrList:
      return is_number(node) || (node.is_list() && std::ranges::all_of(node.items(), is_number));
    case KeyType::kOpen:
      return true;
  }
  return false;
}

std::string plain_number(double value) {
  const bool integral = value == std::floor(value) && std::abs(value) < 1e15;
  return integral ? std::to_string(static_cast<int64_t>(value)) : format_float(value);
}

std::string range_text(const KeySpec& spec) {
  if (spec.minimum && spec.maximum) {
    return plain_number(*spec.minimum) + ".." + plain_number(*spec.maximum);
  }
  if (spec.minimum) return "at least " + plain_number(*spec.minimum);
  if (spec.maximum) return "at most " + plain_number(*spec.maximum);
  return "";
}

class Validator {
 public:
  explicit Validator(const ConfigSchema& schema) : schema_(schema) {
    for (const KeySpec& spec : schema) keys_.push_back(split(spec.key));
  }

  std::vector<std::string> run(const ConfigNode& config) {
    std::vector<std::string> path;
    walk(config, path);
    return std::move(findings_);
  }

 private:
  void walk(const ConfigNode& node, std::vector<std::string>& path) {
    if (!path.empty()) {
      bool above = false;
      for (size_t i = 0; i < schema_.size(); ++i) {
        const Match how = match(path, keys_[i]);
        if (how == Match::kExact || (how == Match::kBelow && schema_[i].type == KeyType::kOpen)) {
          check(node, path, schema_[i]);
          return;
        }
        above = above || how == Match::kAbove;
      }
      if (!above) {
        add_unknown(node, path);
        return;
      }
      if (node.is_null()) return;  // a group that was not chosen
      if (!node.is_map()) {
        add(node,
            fmt::format("'{}' must be a mapping, got {}", dotted(path), kind_name(node.kind())));
        return;
      }
    }
    for (const ConfigEntry& entry : node.entries()) {
      path.push_back(entry.name);
      walk(entry.value, path);
      path.pop_back();
    }
  }

  void check(const ConfigNode& node, const std::vector<std::string>& path, const KeySpec& spec) {
    const std::string name = dotted(path);
    if (spec.type == KeyType::kOpen || (node.is_null() && spec.nullable)) return;
    if (node.is_missing()) {
      add(node, fmt::format("'{}' has no value yet (\?\?\?); give it as {}=... ({})", name, name,
                            describe(spec)));
      return;
    }
    if (!has_type(node, spec.type)) {
      std::string got = kind_name(node.kind());
      if (!node.is_container() && !node.is_null()) got += " '" + python_text(node) + "'";
      add(node, fmt::format("'{}' must be {}, got {}", name, describe(spec), got));
      return;
    }
    if (!node.is_list()) {
      check_value(node, name, spec);
      return;
    }
    for (const ConfigNode& item : node.items()) check_value(item, name, spec);
  }

  void check_value(const ConfigNode& node, const std::string& name, const KeySpec& spec) {
    if (is_number(node)) {
      const double value = node.as_double();
      const bool low = spec.minimum && !(value >= *spec.minimum);
      const bool high = spec.maximum && !(value <= *spec.maximum);
      const bool bounded = spec.minimum || spec.maximum;
      if (low || high || (bounded && std::isnan(value))) {
        add(node, fmt::format("'{}' is {}; allowed: {}", name, python_text(node), describe(spec)));
      }
    } else if (node.is_string() && !spec.allowed.empty()) {
      if (std::ranges::find(spec.allowed, node.as_string()) == spec.allowed.end()) {
        add(node, fmt::format("'{}' is '{}'. {}", name, node.as_string(),
                              suggestion(node.as_string(), spec.allowed)));
      }
    }
  }

  void add_unknown(const ConfigNode& node, const std::vector<std::string>& path) {
    const std::string name = dotted(path);
    // Keys of the same depth first, then any, so that a key in the wrong mapping is found too.
    std::vector<std::string> candidates;
    for (size_t i = 0; i < schema_.size(); ++i) {
      std::vector<std::string> key = keys_[i];
      if (key.size() < path.size()) continue;
      key.resize(path.size());
      if (match({path.begin(), path.end() - 1}, {key.begin(), key.end() - 1}) != Match::kExact &&
          path.size() > 1)
        continue;
      if (key.back() != "*" && std::ranges::find(candidates, key.back()) == candidates.end())
        candidates.push_back(key.back());
    }
    std::string hint;
    const std::string near = nearest_name(path.back(), candidates);
    if (!near.empty()) {
      std::vector<std::string> meant = path;
      meant.back() = near;
      hint = "Did you mean '" + dotted(meant) + "'?" + detail(meant);
    } else if (const std::string elsewhere = same_last_name(path.back()); !elsewhere.empty()) {
      hint = "Did you mean '" + elsewhere + "'?";
    } else if (!candidates.empty()) {
      hint = fmt::format("Known here: {}.", fmt::join(candidates, ", "));
    }
    add(node, fmt::format("unknown key '{}'. {}", name, hint));
  }

  [[nodiscard]] std::string detail(const std::vector<std::string>& path) const {
    for (size_t i = 0; i < schema_.size(); ++i) {
      if (match(path, keys_[i]) == Match::kExact) return " (" + describe(schema_[i]) + ")";
    }
    return "";
  }

  [[nodiscard]] std::string same_last_name(const std::string& name) const {
    for (size_t i = 0; i < schema_.size(); ++i) {
      if (keys_[i].back() == name) return schema_[i].key;
    }
    return "";
  }

  void add(const ConfigNode& node, const std::string& what) {
    const std::string where = node.origin().text();
    findings_.push_back(where.empty() ? what : where + ": " + what);
  }

  static std::string dotted(const std::vector<std::string>& path) {
    return fmt::format("{}", fmt::join(path, "."));
  }

  const ConfigSchema& schema_;
  std::vector<std::vector<std::string>> keys_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> schema_findings(const ConfigNode& config, const ConfigSchema& schema) {
  return Validator(schema).run(config);
}

void validate(const ConfigNode& config, const ConfigSchema& schema) {
  const std::vector<std::string> findings = schema_findings(config, schema);
  if (!findings.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(findings, "\n")));
  }
}

std::string describe(const KeySpec& spec) {
  std::string text = type_name(spec.type);
  if (!spec.allowed.empty()) text += fmt::format(", one of {}", fmt::join(spec.allowed, " "));
  if (const std::string range = range_text(spec); !range.empty()) text += ", " + range;
  if (!spec.unit.empty()) text += ", " + spec.unit;
  if (!spec.default_text.empty()) text += ", default " + spec.default_text;
  if (spec.nullable) text += ", or null";
  return text;
}

std::vector<std::string> volatile_keys(const ConfigSchema& schema) {
  std::vector<std::string> keys;
  for (const KeySpec& spec : schema) {
    if (spec.is_volatile) keys.push_back(spec.key);
  }
  return keys;
}

}  // namespace kvscope
