#include "core/config/override.h"

#include <fmt/format.h>

#include <memory>
#include <regex>

#include "core/base/error.h"
#include "core/base/shell_word.h"

namespace kvscope {
namespace {

constexpr size_t kLongestKey = 512;  // std::regex recurses once a character

[[noreturn]] void fail(const std::string& input, const std::string& what) {
  throw Error(ErrorKind::kConfig, fmt::format("override '{}': {}", input, what));
}

/// How a value that the grammar refuses is written as a text, or with texts in it.
std::string text_remedy(const std::string& input) {
  const size_t equal = input.find('=');
  const char first = input.substr(equal + 1, 1).front();
  if (first != '[' && first != '{') {
    return "A text stands in quotes, for kvscope and for the shell: " +
           shell_word(as_quoted_text(input));
  }
  const std::string key = input.substr(0, equal + 1);
  return "Texts in it stand in quotes of their own, as in " + shell_word(key + "['a!','b']");
}

}  // namespace

std::string Override::group_key() const {
  return package ? key + "@" + *package : key;
}

std::string Override::key_element() const {
  const char* prefix = kind == OverrideKind::kAdd        ? "+"
                       : kind == OverrideKind::kForceAdd ? "++"
                       : kind == OverrideKind::kDelete   ? "~"
                                                         : "";
  return prefix + group_key();
}

ConfigNode Override::node() const {
  ConfigNode node;
  if (value) node = value->value.node();
  node.set_origin_below({std::make_shared<const std::string>(input), 0, 0});
  return node;
}

Override parse_override(const std::string& input) {
  static const std::regex kKey(
      "((?:[A-Za-z_][A-Za-z0-9_-]*(?:/[A-Za-z_][A-Za-z0-9_-]*)+)"
      "|(?:[A-Za-z_$][A-Za-z0-9_$-]*(?:\\.(?:[A-Za-z_$][A-Za-z0-9_$-]*|0|[1-9][0-9]*))*)?)"
      "(?:@([A-Za-z_$][A-Za-z0-9_$-]*(?:\\.(?:[A-Za-z_$][A-Za-z0-9_$-]*|0|[1-9][0-9]*))*)?)?");
  Override result;
  result.input = input;
  std::string rest = input;
  if (rest.starts_with("++")) {
    result.kind = OverrideKind::kForceAdd;
    rest.erase(0, 2);
  } else if (rest.starts_with('+')) {
    result.kind = OverrideKind::kAdd;
    rest.erase(0, 1);
  } else if (rest.starts_with('~')) {
    result.kind = OverrideKind::kDelete;
    rest.erase(0, 1);
  }
  const size_t equal = rest.find('=');
  const std::string key = rest.substr(0, equal);
  if (equal == rest.npos && (result.kind != OverrideKind::kDelete || key.empty())) {
    fail(input, "expected key=value (or ~key to delete)");
  }
  std::smatch match;
  if (key.size() > kLongestKey || !std::regex_match(key, match, kKey)) {
    fail(input, fmt::format("'{}' is no key; keys are a.b.c, group/sub or group@package", key));
  }
  result.key = match[1];
  if (match[2].matched || key.ends_with('@')) result.package = match[2].str();
  if (equal == rest.npos) return result;
  try {
    result.value = parse_grammar_value(std::string_view(rest).substr(equal + 1));
  } catch (const Error& error) {
    fail(input, fmt::format("{}. {}", error.what(), text_remedy(input)));
  }
  return result;
}

std::string as_quoted_text(const std::string& input) {
  const size_t equal = input.find('=');
  GrammarValue value;
  value.kind = ConfigKind::kString;
  value.scalar = input.substr(equal + 1);
  value.quote = '\'';
  return input.substr(0, equal + 1) + value.text();
}

std::vector<Override> parse_overrides(const std::vector<std::string>& inputs) {
  std::vector<Override> result;
  for (const std::string& input : inputs) result.push_back(parse_override(input));
  return result;
}

}  // namespace kvscope
