#include "experiments/sweep/setting_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace kvscope {

std::string setting_text(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kNull:
      return "null";
    case ConfigKind::kBool:
      return node.as_bool() ? "true" : "false";
    case ConfigKind::kInt:
      return fmt::format("{}", node.as_int64());
    case ConfigKind::kFloat:
      return fmt::format("{}", node.as_double());  // 1 for 1.0: equal numbers read alike
    case ConfigKind::kString:
      return node.as_string();
    default:
      break;
  }
  std::vector<std::string> texts;
  for (const ConfigNode& item : node.items()) texts.push_back(setting_text(item));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace kvscope
