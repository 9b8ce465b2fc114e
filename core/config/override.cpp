#include "core/config/override.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "core/config/grammar_token.h"
#include "core/config/zip_sweep.h"

namespace kvscope {
namespace {

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

/// A name or an index between the dots of a key.
size_t key_part_at(std::string_view key, size_t position) {
  const size_t word = word_at(key, position, true);
  return word > 0 ? word : digits_at(key, position);
}

size_t dot_path_at(std::string_view key, size_t position) {
  size_t end = position + key_part_at(key, position);
  size_t dots = 0;
  while (end > position && end < key.size() && key[end] == '.') {
    const size_t part = key_part_at(key, end + 1);
    if (part == 0) break;
    end += 1 + part;
    ++dots;
  }
  return dots > 0 ? end - position : 0;
}

/// The tokens of a key; none where it holds what no key does.
std::optional<std::vector<Token>> key_tokens(std::string_view key) {
  static constexpr std::array<std::pair<char, TokenKind>, 4> kMarks{{{'~', TokenKind::kTilde},
                                                                     {'+', TokenKind::kPlus},
                                                                     {'@', TokenKind::kAt},
                                                                     {'/', TokenKind::kSlash}}};
  std::vector<Token> tokens;
  for (size_t position = 0; position < key.size();) {
    LongestToken longest(key, position);
    for (const auto& [mark, kind] : kMarks) {
      if (key[position] == mark) longest.offer(kind, 1);
    }
    longest.offer(TokenKind::kId, word_at(key, position, false));
    longest.offer(TokenKind::kKeySpecial, word_at(key, position, true));
    longest.offer(TokenKind::kDotPath, dot_path_at(key, position));
    if (longest.token().text.empty()) return std::nullopt;
    tokens.push_back(longest.token());
    position += tokens.back().text.size();
  }
  tokens.push_back({TokenKind::kEnd, {}, key.size()});
  return tokens;
}

/// Reads [~|+|++]key[@package] into `result`; false where the text is something else.
bool read_key(std::string_view text, Override& result) {
  const std::optional<std::vector<Token>> tokens = key_tokens(text);
  if (!tokens) return false;
  const Token* next = tokens->data();
  const auto take = [&](TokenKind kind) {
    return next->kind == kind ? (next++)->text.data() : nullptr;
  };
  if (take(TokenKind::kTilde)) {
    result.kind = OverrideKind::kDelete;
  } else if (take(TokenKind::kPlus)) {
    result.kind = take(TokenKind::kPlus) ? OverrideKind::kForceAdd : OverrideKind::kAdd;
  }
  const auto take_path = [&] {
    const bool is_path = next->kind == TokenKind::kId || next->kind == TokenKind::kKeySpecial ||
                         next->kind == TokenKind::kDotPath;
    return std::string(is_path ? (next++)->text : std::string_view());
  };
  bool is_group = next->kind == TokenKind::kId;
  result.key = take_path();
  while (next->kind == TokenKind::kSlash) {
    ++next;
    is_group = is_group && next->kind == TokenKind::kId;
    if (!is_group) return false;
    result.key += "/" + std::string((next++)->text);
  }
  if (take(TokenKind::kAt)) result.package = take_path();
  return next->kind == TokenKind::kEnd;
}

/// Makes `result` the axis of a sweep whose members go in step.
void take_members(std::vector<Override> members, Override& result) {
  if (result.kind != OverrideKind::kChange || result.package || result.key.empty()) {
    fail(result.input, "zip(..) takes a plain name in front of it, as in pair=zip(..)");
  }
  GrammarSweep sweep;
  sweep.kind = SweepKind::kZip;
  result.value = GrammarResult{.value = {}, .sweep = std::move(sweep)};
  result.zipped = std::move(members);
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
  Override result;
  result.input = input;
  const size_t equal = input.find('=');
  const std::string key = input.substr(0, equal);
  const bool is_key = read_key(key, result);
  if (equal == input.npos && result.kind != OverrideKind::kDelete) {
    fail(input, "expected key=value (or ~key to delete)");
  }
  if (!is_key) {
    fail(input, fmt::format("'{}' is no key; keys are a.b.c, group/sub or group@package", key));
  }
  if (equal == input.npos) return result;
  const size_t value = equal + 1 + blanks_at(input, equal + 1);
  if (auto members = parse_zip(std::string_view(input).substr(value), input)) {
    take_members(std::move(*members), result);
    return result;
  }
  try {
    result.value = parse_grammar_value(std::string_view(input).substr(value));
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
