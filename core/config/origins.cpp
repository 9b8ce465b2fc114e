#include "core/config/origins.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/config/format.h"

namespace kvscope {
namespace {

constexpr size_t kWidestColumn = 48;

struct Line {
  std::string text;
  std::string remark;
};

/// One line: as in a block, or with texts in quotes, which may stand in brackets.
std::string scalar_text(const ConfigNode& node, bool in_brackets) {
  if (node.is_string() && in_brackets) return canonical_json(node);
  std::string text = to_yaml(node);
  text.pop_back();  // the end of the line
  return text;
}

std::string key_text(const ConfigEntry& entry, bool in_brackets) {
  const bool is_text = entry.key_kind == ConfigKind::kString;
  return is_text ? scalar_text(ConfigNode(entry.name), in_brackets) : entry.name;
}

std::string bracketed(const ConfigNode& node) {
  if (!node.is_container()) return scalar_text(node, true);
  std::string inside;
  const auto append = [&](const std::string& item) {
    inside += (inside.empty() ? "" : ", ") + item;
  };
  if (node.is_list()) {
    for (const ConfigNode& item : node.items()) append(bracketed(item));
  } else {
    for (const ConfigEntry& entry : node.entries()) {
      append(key_text(entry, true) + ": " + bracketed(entry.value));
    }
  }
  return node.is_list() ? "[" + inside + "]" : "{" + inside + "}";
}

void append_lines(const ConfigNode& map,
                  const ValueRemark& remark,
                  const std::string& indent,
                  std::vector<Line>& lines) {
  for (const ConfigEntry& entry : map.entries()) {
    const ConfigNode& value = entry.value;
    const std::string key = indent + key_text(entry, false) + ":";
    if (value.is_map() && value.size() > 0) {
      lines.push_back({.text = key, .remark = ""});
      append_lines(value, remark, indent + "  ", lines);
    } else {
      const std::string text = value.is_container() ? bracketed(value) : scalar_text(value, false);
      lines.push_back({.text = key + " " + text, .remark = remark(value)});
    }
  }
}

}  // namespace

std::string to_remarked_yaml(const ConfigNode& node, const ValueRemark& remark) {
  std::vector<Line> lines;
  if (node.is_map() && node.size() > 0) {
    append_lines(node, remark, "", lines);
  } else {
    lines.push_back({.text = bracketed(node), .remark = remark(node)});
  }
  size_t column = 0;
  for (const Line& line : lines) {
    if (line.text.size() <= kWidestColumn) column = std::max(column, line.text.size());
  }
  std::string out;
  for (const Line& line : lines) {
    out += line.remark.empty() ? line.text + "\n"
                               : fmt::format("{:<{}}  # {}\n", line.text, column, line.remark);
  }
  return out;
}

}  // namespace kvscope
