#include "core/config/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/config/big_integer.h"
#include "core/config/config_key.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    switch (character) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += character;
        }
    }
  }
  return out + "\"";
}

std::string json_scalar(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kBool:
      return node.as_bool() ? "true" : "false";
    case ConfigKind::kInt:
      return integer_text(node);
    case ConfigKind::kFloat: {
      const std::string text = format_float(node.as_double());
      return std::isfinite(node.as_double()) ? text : json_string(text);
    }
    case ConfigKind::kString:
      return json_string(node.as_string());
    default:
      return "null";
  }
}

struct JsonStyle {
  bool sort_keys = false;
  bool indent = false;
};

void write_json(const ConfigNode& node, const JsonStyle& style, int depth, std::string& out) {
  if (!node.is_container()) {
    out += json_scalar(node);
    return;
  }
  const auto new_line = [&](int level) {
    if (style.indent) out += "\n" + std::string(static_cast<size_t>(level) * 2, ' ');
  };
  out += node.is_list() ? "[" : "{";
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ",";
    first = false;
    new_line(depth + 1);
  };
  if (node.is_list()) {
    for (const ConfigNode& item : node.items()) {
      separate();
      write_json(item, style, depth + 1, out);
    }
  } else {
    std::vector<const ConfigEntry*> entries;
    for (const ConfigEntry& entry : node.entries()) entries.push_back(&entry);
    if (style.sort_keys) {
      std::ranges::stable_sort(entries, {}, &ConfigEntry::name);
    }
    for (const ConfigEntry* entry : entries) {
      separate();
      out += json_string(entry->name) + (style.indent ? ": " : ":");
      write_json(entry->value, style, depth + 1, out);
    }
  }
  if (!first) new_line(depth);
  out += node.is_list() ? "]" : "}";
}

/// Plain where YAML reads the same text back as a string, otherwise double-quoted (JSON escapes are
/// YAML escapes).
std::string yaml_string(const std::string& text) {
  static constexpr std::string_view kSpecialStart = "-?:,[]{}#&*!|>'\"%@` \t=~<.";
  const bool odd = text.empty() || kSpecialStart.find(text.front()) != kSpecialStart.npos ||
                   text.back() == ' ' || text.back() == ':' ||
                   text.find_first_of("\"\\#,[]{}?\n\r\t") != text.npos ||
                   text.find(": ") != text.npos || std::ranges::any_of(text, [](char c) {
                     return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                   });
  if (odd || !parse_yaml_scalar(text).is_string()) return json_string(text);
  return text;
}

std::string yaml_scalar(const ConfigNode& node) {
  if (node.is_string()) return yaml_string(node.as_string());
  if (node.kind() == ConfigKind::kFloat) {
    const double value = node.as_double();
    if (std::isnan(value)) return ".nan";
    if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
    return format_float(value);
  }
  return json_scalar(node);
}

std::string yaml_key(const ConfigEntry& entry) {
  return entry.key_kind == ConfigKind::kString ? yaml_string(entry.name) : entry.name;
}

void write_yaml(const ConfigNode& node, int depth, bool inline_first, std::string& out) {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  const auto write_value = [&](const ConfigNode& value, bool below_list) {
    if (!value.is_container()) {
      out += " " + yaml_scalar(value) + "\n";
    } else if (value.size() == 0) {
      out += value.is_list() ? " []\n" : " {}\n";
    } else if (below_list) {
      out += " ";
      write_yaml(value, depth + 1, true, out);
    } else {
      out += "\n";
      write_yaml(value, value.is_list() ? depth : depth + 1, false, out);
    }
  };
  bool first = inline_first;
  const auto begin_line = [&] {
    if (!first) out += indent;
    first = false;
  };
  if (node.is_list()) {
    for (const ConfigNode& item : node.items()) {
      begin_line();
      out += "-";
      write_value(item, true);
    }
  } else {
    for (const ConfigEntry& entry : node.entries()) {
      begin_line();
      out += yaml_key(entry) + ":";
      write_value(entry.value, false);
    }
  }
}

std::string python_quoted(const std::string& text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char character : text) {
    if (character == quote || character == '\\') out += '\\';
    if (character == '\n') {
      out += "\\n";
    } else if (character == '\t') {
      out += "\\t";
    } else if (character == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f) {
      out += fmt::format("\\x{:02x}", character);
    } else {
      out += character;
    }
  }
  return out + quote;
}

std::string python_repr(const ConfigNode& node) {
  return node.is_string() ? python_quoted(node.as_string()) : python_text(node);
}

}  // namespace

std::string format_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  // Python's repr: shortest digits, fixed notation for exponents in [-4, 16), two exponent digits.
  std::array<char, 64> buffer;
  const double size = std::abs(value);
  const bool fixed = value == 0 || (size >= 1e-4 && size < 1e16);
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), result.ptr);
  if (fixed && text.find('.') == text.npos) text += ".0";
  return text;
}

std::string canonical_json(const ConfigNode& node) {
  std::string out;
  write_json(node, {.sort_keys = true, .indent = false}, 0, out);
  return out;
}

std::string to_json(const ConfigNode& node) {
  std::string out;
  write_json(node, {.sort_keys = false, .indent = true}, 0, out);
  return out + "\n";
}

std::string to_yaml(const ConfigNode& node) {
  if (!node.is_container()) return yaml_scalar(node) + "\n";
  if (node.size() == 0) return node.is_list() ? "[]\n" : "{}\n";
  std::string out;
  write_yaml(node, 0, false, out);
  return out;
}

std::string python_text(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kNull:
      return "None";
    case ConfigKind::kBool:
      return node.as_bool() ? "True" : "False";
    case ConfigKind::kInt:
      return integer_text(node);
    case ConfigKind::kFloat:
      return format_float(node.as_double());
    case ConfigKind::kString:
      return node.as_string();
    case ConfigKind::kList: {
      std::string out = "[";
      for (const ConfigNode& item : node.items()) {
        out += (out.size() > 1 ? ", " : "") + python_repr(item);
      }
      return out + "]";
    }
    case ConfigKind::kMap:
      break;
  }
  std::string out = "{";
  for (const ConfigEntry& entry : node.entries()) {
    out += (out.size() > 1 ? ", " : "") + python_repr(entry_key(entry)) + ": " +
           python_repr(entry.value);
  }
  return out + "}";
}

}  // namespace kvscope
