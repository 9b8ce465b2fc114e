#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace kvscope {

/// A part [begin, end) of a text, in bytes.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] std::string_view of(std::string_view text) const {
    return text.substr(begin, end - begin);
  }
  bool operator==(const TextRange&) const = default;
};

/// Whose rules a pattern was written for: the classes \w \s \d, the edges of a line and a few
/// letters mean different things in each.
enum class PatternDialect {
  kOniguruma,  ///< the patterns of a tokenizer.json; $ also stands before a line break
  kPython,     ///< the module re on str
  kLiteral,    ///< the text itself
};

/// A compiled regular expression over UTF-8. Matching is bounded: a pattern that needs more steps
/// than any honest one is refused instead of followed. A cheap value; safe to share between
/// threads.
class Pattern {
 public:
  /// `origin` names the pattern's source in errors. Throws Error(kInput) with the place in the
  /// pattern where it is damaged or uses what this dialect is not known to mean here.
  Pattern(std::string_view pattern, PatternDialect dialect, std::string origin);

  /// The first match at or after byte `from`, or none. `text` must be valid UTF-8 and `from` the
  /// start of a character. Throws Error(kInput) where the step limit is reached.
  [[nodiscard]] std::optional<TextRange> find(std::string_view text, size_t from = 0) const;

  /// All matches in order, as repeated searching finds them; an empty match directly behind
  /// another match does not count.
  [[nodiscard]] std::vector<TextRange> find_all(std::string_view text) const;

  /// `text` with every match replaced. In `replacement`, $1 is the first group, ${0} the match and
  /// \L lowers what follows.
  [[nodiscard]] std::string replace(std::string_view text, const std::string& replacement) const;

 private:
  [[noreturn]] void refuse(int code, size_t text_bytes) const;

  std::string pattern_;
  std::string origin_;
  std::shared_ptr<const pcre2_real_code_8> code_;
};

/// Throws Error(kInput) naming `what` and the byte where `text` is not UTF-8.
void check_utf8(std::string_view text, std::string_view what);

}  // namespace kvscope
