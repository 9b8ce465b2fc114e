#include "core/config/glob_match.h"

#include <algorithm>
#include <cstddef>

namespace kvscope {
namespace {

/// Bytes of the UTF-8 character at `position`.
size_t character_size(std::string_view text, size_t position) {
  size_t end = position + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - position;
}

/// The character at `position`, whose bytes sort as its code point.
std::string_view character_at(std::string_view text, size_t position) {
  return text.substr(position, character_size(text, position));
}

/// Where the set that opens at `open` closes; npos if it does not. A `]` that comes first is in it.
size_t set_end(std::string_view pattern, size_t open) {
  size_t first = open + 1;
  if (first < pattern.size() && pattern[first] == '!') ++first;
  return pattern.find(']', first + 1);
}

bool in_set(std::string_view character, std::string_view set) {
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (size_t i = 0; i < set.size();) {
    const std::string_view low = character_at(set, i);
    i += low.size();
    if (i + 1 < set.size() && set[i] == '-') {
      const std::string_view high = character_at(set, i + 1);
      i += 1 + high.size();
      found = found || (low <= character && character <= high);
    } else {
      found = found || low == character;
    }
  }
  return found != negated;
}

}  // namespace

bool glob_match(std::string_view text, std::string_view pattern) {
  size_t at = 0;
  size_t next = 0;
  size_t star = std::string_view::npos;  // the pattern behind the last star
  size_t star_at = 0;                    // the text that it begins at
  while (at < text.size()) {
    const std::string_view character = character_at(text, at);
    if (next < pattern.size() && pattern[next] == '*') {
      star = ++next;
      star_at = at;
      continue;
    }
    size_t taken = 0;  // of the pattern
    if (next < pattern.size() && pattern[next] == '?') {
      taken = 1;
    } else if (next < pattern.size() && pattern[next] == '[' &&
               set_end(pattern, next) != pattern.npos) {
      const size_t end = set_end(pattern, next);
      if (in_set(character, pattern.substr(next + 1, end - next - 1))) taken = end + 1 - next;
    } else if (pattern.substr(std::min(next, pattern.size())).starts_with(character)) {
      taken = character.size();
    }
    if (taken > 0) {
      next += taken;
      at += character.size();
    } else if (star != std::string_view::npos) {
      star_at += character_size(text, star_at);
      at = star_at;
      next = star;
    } else {
      return false;
    }
  }
  while (next < pattern.size() && pattern[next] == '*') ++next;
  return next == pattern.size();
}

}  // namespace kvscope
