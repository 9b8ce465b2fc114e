#include "core/text/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> found(PatternDialect dialect,
                               const std::string& pattern,
                               const std::string& text) {
  std::vector<std::string> list;
  for (const TextRange& match : Pattern(pattern, dialect, "test").find_all(text)) {
    list.emplace_back(match.of(text));
  }
  return list;
}

std::vector<std::string> oniguruma(const std::string& pattern, const std::string& text) {
  return found(PatternDialect::kOniguruma, pattern, text);
}

std::vector<std::string> python(const std::string& pattern, const std::string& text) {
  return found(PatternDialect::kPython, pattern, text);
}

std::string error_of(const std::string& pattern, const std::string& text = "") {
  try {
    (void)Pattern(pattern, PatternDialect::kOniguruma, "some/tokenizer.json").find_all(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

TEST(Pattern, SpaceIsUnicodesWhiteSpace) {
  // U+180E was white space once and is to PCRE2's own \s; U+001C is to Python alone.
  const std::string text = "a\u180Eb\u00A0c\u0085d\u2028e\u3000f\u200Bg\x1Ch\vi";
  EXPECT_THAT(oniguruma("\\s", text), ElementsAre("\u00A0", "\u0085", "\u2028", "\u3000", "\v"));
  EXPECT_THAT(oniguruma("[\\sx]", text), ElementsAre("\u00A0", "\u0085", "\u2028", "\u3000", "\v"));
  EXPECT_THAT(oniguruma("[^\\S\\v]", "a \v\u0085"), ElementsAre(" ", "\u0085"));
  EXPECT_THAT(python("\\s", text),
              ElementsAre("\u00A0", "\u0085", "\u2028", "\u3000", "\x1C", "\v"));
  EXPECT_THAT(oniguruma("\\S+", "a \u00E9\u00A0b"), ElementsAre("a", "\u00E9", "b"));
}

TEST(Pattern, WordsDifferBetweenDialects) {
  // A combining accent is part of a word to Oniguruma, not to Python; a half is the reverse.
  const std::string text = "e\u0301\u00BD_";
  EXPECT_THAT(oniguruma("\\w+", text), ElementsAre("e\u0301", "_"));
  EXPECT_THAT(python("\\w+", text), ElementsAre("e", "\u00BD_"));
  EXPECT_THAT(python("\\W+", text), ElementsAre("\u0301"));
  EXPECT_THAT(python("\\b[a-z]+\\b", "ab \u00E9ab ab_ ab"), ElementsAre("ab", "ab"));
  EXPECT_THAT(python("\\Ba\\B", "a ba bab"), ElementsAre("a"));
}

TEST(Pattern, OnigurumaSpellings) {
  EXPECT_THAT(oniguruma("\\h+", "xyz1Fg"), ElementsAre("1F"));
  EXPECT_THAT(oniguruma("\\u0041", "xA"), ElementsAre("A"));
  EXPECT_THAT(oniguruma("(?m:a.b)", "a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(oniguruma("a.b", "a\nb"), ElementsAre());
  EXPECT_THAT(oniguruma("(?i:'ll)", "I'LL"), ElementsAre("'LL"));
  EXPECT_THAT(oniguruma("[a-z&]+", "a&b"), ElementsAre("a&b"));
  EXPECT_THAT(oniguruma("[[:digit:]]", "a1"), ElementsAre("1"));
  EXPECT_THAT(oniguruma("[]]", "a]"), ElementsAre("]"));
  // $ stands before every line break, and at the end.
  EXPECT_EQ(oniguruma("$", "a\nb\n").size(), 3);
}

TEST(Pattern, EmptyMatchesBehindAMatchDoNotCount) {
  const Pattern pattern("x*", PatternDialect::kOniguruma, "test");
  EXPECT_THAT(pattern.find_all("axxb"),
              ElementsAre(TextRange{0, 0}, TextRange{1, 3}, TextRange{4, 4}));
  // Steps over whole characters.
  EXPECT_THAT(pattern.find_all("\u00E9"), ElementsAre(TextRange{0, 0}, TextRange{2, 2}));
  EXPECT_THAT(pattern.find_all(""), ElementsAre(TextRange{0, 0}));
}

TEST(Pattern, LiteralTakesNothingAsAnOperator) {
  EXPECT_THAT(found(PatternDialect::kLiteral, "a.[b", "axb a.[b a.[b"),
              ElementsAre("a.[b", "a.[b"));
}

TEST(Pattern, ReplacesEveryMatch) {
  const Pattern pairs("([a-z])(\\d)?", PatternDialect::kPython, "test");
  EXPECT_EQ(pairs.replace("a1 b -", "<$2$1>"), "<1a> <b> -");
  EXPECT_EQ(pairs.replace("", "x"), "");
  const Pattern letters(".", PatternDialect::kPython, "test");
  EXPECT_EQ(letters.replace(std::string(1000, 'a'), "long replacement").size(), 16'000);
}

TEST(Pattern, HostilePatternsAreRefusedInBoundedTime) {
  for (const std::string pattern : {"(a+)+$", "(a|a)*[bd]", "((a*)*)*[bd]", "(?:a|aa)+[bd]"}) {
    EXPECT_THAT(error_of(pattern, std::string(64, 'a').append("c")),
                AllOf(HasSubstr("some/tokenizer.json"), HasSubstr(pattern), HasSubstr("limit")))
        << pattern;
  }
  EXPECT_THAT(error_of(std::string(70'000, 'a')), HasSubstr("70000 bytes"));
  EXPECT_THAT(error_of("((((a{1,999}){1,999}){1,999}){1,999}){1,999}"), HasSubstr("large"));
  EXPECT_THAT(error_of(std::string(5000, '(')), HasSubstr("nested"));
}

TEST(Pattern, LongTextsStayWithinTheLimits) {
  const std::string spaces(20'000, ' ');
  EXPECT_EQ(oniguruma("\\s+(?!\\S)|\\s+", spaces + "x").size(), 2);
  // Groups that repeat remember every round.
  EXPECT_EQ(oniguruma("(?:[a-m]|n[o-z]?)+", std::string(50'000, 'a') + "!n").size(), 2);
}

TEST(Pattern, DamagedOnesNameTheirPlace) {
  EXPECT_THAT(error_of("ab[c"), AllOf(HasSubstr("'ab[c'"), HasSubstr("byte 4")));
  for (const std::string pattern : {"(*UTF)a", "[a[b]]", "[a&&b]", "[\\W]", "\\", "(?<n", "a**)",
                                    "\\C", "\\p{Unheard}", "(?C1)a(", "[z-a]"}) {
    EXPECT_THAT(error_of(pattern), AllOf(HasSubstr("some/tokenizer.json"), HasSubstr(pattern)));
  }
}

TEST(CheckUtf8, NamesTheByte) {
  EXPECT_NO_THROW(check_utf8("", "text"));
  EXPECT_NO_THROW(check_utf8(std::string("\0\u00E9\U0001F600", 7), "text"));
  for (const std::string damaged :
       {"ab\xFF", "ab\xC3", "ab\xED\xA0\x80", "ab\xC0\x80", "ab\xF4\x90\x80\x80", "ab\x80"}) {
    try {
      check_utf8(damaged, "line 3");
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("line 3"), HasSubstr("byte 2")));
    }
  }
}

}  // namespace
}  // namespace kvscope
