#include "core/text/pattern_dialect.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

// What \w and \s stand for, as members of a class. PCRE2's own differ from both (its \s knows
// U+180E) and between its versions.
struct Classes {
  std::string word;
  std::string space;
};

Classes classes_of(PatternDialect dialect) {
  if (dialect == PatternDialect::kPython) {
    return {R"(\p{L}\p{N}_)", R"(\p{White_Space}\x1c-\x1f)"};
  }
  return {R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})", R"(\p{White_Space})"};
}

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ErrorKind::kInput, reason);
}

class Translator {
 public:
  Translator(std::string_view pattern, PatternDialect dialect)
      : left_(pattern), oniguruma_(dialect == PatternDialect::kOniguruma) {
    classes_ = classes_of(dialect);
  }

  std::string run() {
    while (!left_.empty()) {
      if (left_[0] == '\\') {
        escape();
      } else if (inside_) {
        class_member();
      } else if (left_[0] == '[') {
        open_class();
      } else if (left_[0] == '(') {
        group();
      } else {
        copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  void copy(size_t bytes) {
    out_ += left_.substr(0, bytes);
    left_.remove_prefix(std::min(bytes, left_.size()));
  }
  void put(size_t bytes, std::string_view instead) {
    left_.remove_prefix(std::min(bytes, left_.size()));
    out_ += instead;
  }

  void escape() {
    if (left_.size() < 2) return copy(1);
    const std::string word = inside_ ? classes_.word : "[" + classes_.word + "]";
    switch (left_[1]) {
      case 'w':
        return put(2, word);
      case 'W':
        if (inside_) refuse("\\W inside [ ] is not supported");
        return put(2, "[^" + classes_.word + "]");
      case 's':
        return put(2, inside_ ? classes_.space : "[" + classes_.space + "]");
      case 'S':
        if (!inside_) return put(2, "[^" + classes_.space + "]");
        if (!oniguruma_) refuse("\\S inside [ ] is not supported");
        return put(2, R"(\P{White_Space})");
      case 'b':
        if (inside_) return copy(2);
        return put(2, fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", word));
      case 'B':
        if (inside_) return copy(2);
        return put(2, fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", word));
      case 'Q':
      case 'E':  // quotes in PCRE2, plain letters here
        return put(2, left_.substr(1, 1));
      default:
        return oniguruma_ ? oniguruma_escape() : copy(2);
    }
  }

  void oniguruma_escape() {
    const auto hexadecimal = [](std::string_view text) {
      return text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
    };
    switch (left_[1]) {
      case 'h':
        return put(2, inside_ ? "0-9a-fA-F" : "[0-9a-fA-F]");
      case 'H':
        if (inside_) refuse("\\H inside [ ] is not supported");
        return put(2, "[^0-9a-fA-F]");
      case 'v':  // one character here, every vertical space to PCRE2
        return put(2, "\\x0b");
      case 'u':
        if (left_.size() >= 6 && hexadecimal(left_.substr(2, 4))) {
          return put(6, fmt::format("\\x{{{}}}", left_.substr(2, 4)));
        }
        return copy(2);
      case 'C':
      case 'N':
      case 'O':
      case 'V':
        refuse(fmt::format("\\{} is not supported", left_[1]));
      default:
        return copy(2);
    }
  }

  void open_class() {
    inside_ = true;
    copy(1);
    if (left_.starts_with('^')) copy(1);
    if (left_.starts_with(']')) put(1, "\\]");
  }

  void class_member() {
    if (left_[0] == ']') {
      inside_ = false;
    } else if (left_[0] == '[') {
      const size_t end = left_.starts_with("[:") ? left_.find(":]") : left_.npos;
      if (end != left_.npos) return copy(end + 2);
      // A class in a class to Oniguruma, a plain bracket to Python.
      if (oniguruma_) refuse("a [ ] inside a [ ] is not supported");
      return put(1, "\\[");
    } else if (oniguruma_ && left_.starts_with("&&")) {
      refuse("&& inside [ ] is not supported");
    }
    copy(1);
  }

  void group() {
    if (left_.starts_with("(*")) refuse("(*...) is not supported");
    if (!oniguruma_ || !left_.starts_with("(?")) return copy(1);
    // (?m) lets . match a line break; PCRE2 calls that s.
    const size_t end = left_.find_first_not_of("imx-", 2);
    if (end == left_.npos || end == 2 || (left_[end] != ')' && left_[end] != ':')) return copy(2);
    copy(2);
    for (size_t letters = end - 2; letters > 0; --letters) {
      left_.starts_with('m') ? put(1, "s") : copy(1);
    }
  }

  std::string_view left_;
  bool oniguruma_;
  bool inside_ = false;  // of a [ ]
  Classes classes_;
  std::string out_;
};

}  // namespace

std::string to_pcre2(std::string_view pattern, PatternDialect dialect) {
  if (dialect == PatternDialect::kLiteral) return std::string(pattern);
  return Translator(pattern, dialect).run();
}

}  // namespace kvscope
