#include "core/text/tokenizers/added_tokens.h"

#include <gtest/gtest.h>

#include <random>

namespace kvscope {
namespace {

// "plain[token]plain": the parts in one line.
std::string written(const std::vector<AddedToken>& tokens, const std::string& text) {
  const AddedTokenFinder finder(tokens);
  std::string line;
  for (const auto& part : finder.parts(text)) {
    const std::string own(part.range.of(text));
    line += part.token == nullptr ? own : "[" + own + "]";
  }
  return line;
}

TEST(AddedTokens, LeftmostThenLongest) {
  const std::vector<AddedToken> tokens = {
      {.content = "ab", .id = 1}, {.content = "abcd", .id = 2}, {.content = "bc", .id = 3}};
  EXPECT_EQ(written(tokens, "abcd"), "[abcd]");
  EXPECT_EQ(written(tokens, "abc"), "[ab]c");
  EXPECT_EQ(written(tokens, "xbcab"), "x[bc][ab]");
  EXPECT_EQ(written(tokens, ""), "");
  EXPECT_EQ(written({}, "abc"), "abc");
  EXPECT_EQ(written({{.content = "", .id = 1}}, "abc"), "abc");
}

TEST(AddedTokens, EqualsASearchByDefinition) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    const auto word = [&](size_t longest) {
      std::string text;
      for (size_t i = 1 + random() % longest; i > 0; --i) text += "ab\xC3\xA9"[random() % 4];
      return text;
    };
    std::vector<AddedToken> tokens;
    for (int i = 0; i < 6; ++i) tokens.push_back({.content = word(5), .id = i});
    const std::string text = word(60);
    std::string expected;
    for (size_t at = 0; at < text.size();) {
      std::string longest;
      for (const AddedToken& token : tokens) {
        const bool here = text.compare(at, token.content.size(), token.content) == 0;
        if (here && token.content.size() > longest.size()) longest = token.content;
      }
      expected += longest.empty() ? text.substr(at, 1) : "[" + longest + "]";
      at += std::max<size_t>(longest.size(), 1);
    }
    EXPECT_EQ(written(tokens, text), expected);
  }
}

TEST(AddedTokens, SingleWordsStandAlone) {
  const std::vector<AddedToken> tokens = {{.content = "cat", .id = 1, .single_word = true}};
  EXPECT_EQ(written(tokens, "cat concat cats cat, _cat cat\u00E9 \u00E9cat"),
            "[cat] concat cats [cat], _cat cat\u00E9 \u00E9cat");
  EXPECT_EQ(written(tokens, "catcat"), "catcat");
}

TEST(AddedTokens, WhiteSpaceBesideIsTaken) {
  const std::vector<AddedToken> left = {{.content = "<m>", .id = 1, .lstrip = true}};
  EXPECT_EQ(written(left, "a \u00A0\n<m> b"), "a[ \u00A0\n<m>] b");
  EXPECT_EQ(written(left, "<m> <m>"), "[<m>][ <m>]");
  const std::vector<AddedToken> right = {{.content = "<m>", .id = 1, .rstrip = true}};
  EXPECT_EQ(written(right, "a <m> \u3000b<m> "), "a [<m> \u3000]b[<m> ]");
  std::vector<AddedToken> both = {{.content = "<m>", .id = 1, .lstrip = true, .rstrip = true}};
  EXPECT_EQ(written(both, "a <m>  <m> b"), "a[ <m>  ][<m> ]b");
}

}  // namespace
}  // namespace kvscope
