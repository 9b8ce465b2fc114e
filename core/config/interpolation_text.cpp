#include "core/config/interpolation_text.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, what);
}

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/// The index after the `}` that closes the `${` before `begin`.
size_t end_of_interpolation(std::string_view text, size_t begin) {
  int open = 1;
  char quote = '\0';
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '{') {
      ++open;
    } else if (c == '}' && --open == 0) {
      return i + 1;
    }
  }
  fail(fmt::format("'{}': a '${{' without its '}}'", text));
}

}  // namespace

std::vector<InterpolationPiece> split_interpolations(std::string_view text) {
  std::vector<InterpolationPiece> pieces;
  std::string literal;
  for (size_t i = 0; i < text.size();) {
    size_t slashes = 0;
    while (i + slashes < text.size() && text[i + slashes] == '\\') ++slashes;
    const size_t start = i + slashes;
    if (text.substr(start, 2) != "${") {
      literal.append(text.substr(i, slashes));
      if (start < text.size()) literal += text[start];
      i = start + 1;
      continue;
    }
    literal.append(slashes / 2, '\\');
    if (slashes % 2 == 1) {
      literal += "${";
      i = start + 2;
      continue;
    }
    const size_t end = end_of_interpolation(text, start + 2);
    if (!literal.empty()) pieces.push_back({literal, false});
    literal.clear();
    pieces.push_back({std::string(text.substr(start + 2, end - start - 3)), true});
    i = end;
  }
  if (!literal.empty() || pieces.empty()) pieces.push_back({literal, false});
  return pieces;
}

NodeReference parse_node_reference(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  NodeReference reference;
  while (text.starts_with('.')) {
    ++reference.dots;
    text.remove_prefix(1);
  }
  const auto take = [&](std::string_view key) {
    if (key.empty()) fail(fmt::format("'${{{}}}': an empty key", text));
    reference.keys.emplace_back(key);
  };
  bool expect_key = true;  // at the start and after a dot
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '[') {
      const size_t close = text.find(']', i);
      if (close == text.npos) fail(fmt::format("'${{{}}}': '[' without ']'", text));
      take(text.substr(i + 1, close - i - 1));
      i = close + 1;
      expect_key = false;
    } else if (text[i] == '.') {
      if (expect_key) fail(fmt::format("'${{{}}}': an empty key", text));
      expect_key = true;
      ++i;
    } else {
      if (!expect_key) fail(fmt::format("'${{{}}}': expected '.' or '[' after ']'", text));
      const size_t end = std::min(text.find_first_of(".[", i), text.size());
      const std::string_view key = text.substr(i, end - i);
      if (key.find_first_of("]{}'\"\\:") != key.npos) {
        fail(fmt::format("'${{{}}}': '{}' is no key", text, key));
      }
      take(key);
      i = end;
      expect_key = false;
    }
  }
  if (expect_key && !(text.empty() && reference.dots > 0))
    fail(fmt::format("'${{{}}}': a key is missing", text));
  return reference;
}

size_t resolver_colon(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return text.npos;
  for (const char c : text.substr(0, colon)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '.' && c != '-') return text.npos;
  }
  return colon == 0 ? text.npos : colon;
}

}  // namespace kvscope
