#include "core/config/config_key.h"

#include <optional>

#include "core/config/big_integer.h"
#include "core/config/format.h"
#include "core/config/number_text.h"

namespace kvscope {

std::string key_spelling(const ConfigNode& key) {
  switch (key.kind()) {
    case ConfigKind::kNull:
      return "null";
    case ConfigKind::kBool:
      return key.as_bool() ? "true" : "false";
    default:
      return python_text(key);
  }
}

ConfigNode entry_key(const ConfigEntry& entry) {
  switch (entry.key_kind) {
    case ConfigKind::kNull:
      return {};
    case ConfigKind::kBool:
      return entry.name == "true";
    case ConfigKind::kInt:
      return integer_node(entry.name);
    case ConfigKind::kFloat:
      return float_of_text(entry.name).value_or(0);
    default:
      return entry.name;
  }
}

bool same_key(const ConfigNode& a, const ConfigNode& b) {
  const auto number = [](const ConfigNode& node) -> std::optional<double> {
    if (node.kind() == ConfigKind::kBool) return node.as_bool() ? 1.0 : 0.0;
    if (node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat) {
      return node.as_double();
    }
    return std::nullopt;
  };
  return a.kind() == b.kind() ? a == b : number(a) && number(a) == number(b);
}

}  // namespace kvscope
