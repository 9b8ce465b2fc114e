#include "core/config/zip_sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/config/hydra_node.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const std::string& input, const std::string& what) {
  throw Error(ErrorKind::kConfig, fmt::format("override '{}': {}", input, what));
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") + 1 - first);
}

/// What stands between the parentheses of zip(..); none where the text is something else.
std::optional<std::string_view> inside_zip(std::string_view value) {
  std::string_view text = trimmed(value);
  if (!text.starts_with("zip")) return std::nullopt;
  text = trimmed(text.substr(3));
  if (!text.starts_with('(')) return std::nullopt;
  return text.substr(1);
}

/// Members in front of the closing parenthesis, split at commas outside quotes and brackets.
std::vector<std::string> split_members(std::string_view text, const std::string& input) {
  std::vector<std::string> members(1);
  int depth = 0;
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_plain = quote == '\0';
    if (is_plain && depth == 0 && c == ')') {
      const std::string_view rest = trimmed(text.substr(i + 1));
      if (!rest.empty()) fail(input, fmt::format("'{}' behind zip(..)", rest));
      return members;
    }
    if (is_plain && depth == 0 && c == ',') {
      members.emplace_back();
      continue;
    }
    members.back() += c;
    if (c == '\\' && i + 1 < text.size()) {
      members.back() += text[++i];
    } else if (!is_plain) {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    }
  }
  fail(input, "zip(..) without its closing ')'");
}

Override parse_member(std::string_view text, const std::string& input) {
  if (text.find('=') == text.npos) {
    fail(input,
         fmt::format("'{}' inside zip(..) is no KEY=VALUES; several values of a key stand in "
                     "choice(a,b) or [a,b]",
                     text));
  }
  Override member;
  try {
    member = parse_override(std::string(text));
  } catch (const Error& error) {
    fail(input, error.what());
  }
  if (!member.zipped.empty()) fail(input, "zip(..) inside zip(..)");
  if (member.kind == OverrideKind::kDelete) fail(input, "a deletion inside zip(..)");
  if (member.key.empty()) fail(input, fmt::format("'{}' inside zip(..) has no key", text));
  if (is_hydra_override(member)) fail(input, "hydra's own settings cannot be swept");
  if (member.is_sweep()) return member;
  if (member.value->value.kind != ConfigKind::kList || member.value->value.items.empty()) {
    fail(input, fmt::format("'{}' inside zip(..) is one value; expected choice(a,b), range(..), "
                            "glob(..) or [a,b]",
                            text));
  }
  GrammarSweep rows;
  rows.values = member.value->value.items;
  member.value->sweep = std::move(rows);
  return member;
}

}  // namespace

std::optional<std::vector<Override>> parse_zip(std::string_view value, const std::string& input) {
  const std::optional<std::string_view> inside = inside_zip(value);
  if (!inside) return std::nullopt;
  std::vector<Override> members;
  for (const std::string& text : split_members(*inside, input)) {
    Override member = parse_member(trimmed(text), input);
    if (std::ranges::find(members, member.group_key(), &Override::group_key) != members.end()) {
      fail(input, fmt::format("zip(..) names '{}' twice", member.group_key()));
    }
    members.push_back(std::move(member));
  }
  if (members.size() < 2) fail(input, "zip(..) pairs several keys, and this names one");
  return members;
}

}  // namespace kvscope
