#include "core/text/tokenizers/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/tokenizers/byte_level.h"

namespace kvscope {
namespace {

using testing::ElementsAre;

SplitStep split(const std::string& pattern,
                SplitBehavior behavior = SplitBehavior::kIsolated,
                bool invert = false) {
  return {Pattern(pattern, PatternDialect::kOniguruma, "test"), behavior, invert};
}

std::vector<std::string> pieces(const PreTokenizer& steps, const std::string& text) {
  const TextPieces result = pre_tokenize(steps, text);
  std::vector<std::string> list;
  for (const TextRange& piece : result.pieces) list.emplace_back(piece.of(result.text));
  return list;
}

// The library's own documented example: "the-final--countdown" at "-".
TEST(PreTokenizer, Behaviors) {
  const std::string text = "the-final--countdown";
  const auto at_dashes = [&](SplitBehavior behavior, bool invert = false) {
    return pieces({split("-", behavior, invert)}, text);
  };
  EXPECT_THAT(at_dashes(SplitBehavior::kRemoved), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(at_dashes(SplitBehavior::kIsolated),
              ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(at_dashes(SplitBehavior::kMergedWithPrevious),
              ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(at_dashes(SplitBehavior::kMergedWithNext),
              ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(at_dashes(SplitBehavior::kContiguous),
              ElementsAre("the", "-", "final", "--", "countdown"));
  EXPECT_THAT(at_dashes(SplitBehavior::kRemoved, true), ElementsAre("-", "-", "-"));
  EXPECT_THAT(at_dashes(SplitBehavior::kIsolated, true),
              ElementsAre("the", "-", "final", "-", "-", "countdown"));
}

TEST(PreTokenizer, EdgesAndEmptyTexts) {
  EXPECT_THAT(pieces({split("-", SplitBehavior::kMergedWithPrevious)}, "-a-"),
              ElementsAre("-", "a-"));
  EXPECT_THAT(pieces({split("-", SplitBehavior::kMergedWithNext)}, "-a-"), ElementsAre("-a", "-"));
  EXPECT_THAT(pieces({split("-", SplitBehavior::kRemoved)}, "--"), ElementsAre());
  EXPECT_THAT(pieces({split("-")}, ""), ElementsAre());
  EXPECT_THAT(pieces({}, "a b"), ElementsAre("a b"));
  // An empty match cuts, and leaves no empty piece.
  EXPECT_THAT(pieces({split("(?=b)")}, "abab"), ElementsAre("a", "ba", "b"));
}

TEST(PreTokenizer, StepsCutWhatTheFormerOnesLeft) {
  // The second pattern cuts inside what the first isolated, as in DeepSeek's sequence.
  const PreTokenizer steps = {split("\\s?[a-z\u00E9]+"), split("\\s?[a-z]+")};
  EXPECT_THAT(pieces(steps, " caf\u00E9 un"), ElementsAre(" caf", "\u00E9", " un"));
  // An anchor means the piece's end, not the text's.
  EXPECT_THAT(pieces({split("b"), split("\\s+$")}, "a  b"), ElementsAre("a", "  ", "b"));
}

TEST(PreTokenizer, ByteLevelWritesBytes) {
  EXPECT_THAT(pieces({split(" "), ByteLevelStep{}}, "a \u00E9"),
              ElementsAre("a", "\u0120", "\u00C3\u00A9"));
  EXPECT_THAT(pieces({split(","), ByteLevelStep{.add_prefix_space = true}}, "a, b"),
              ElementsAre("\u0120a", "\u0120,", "\u0120b"));
  const Pattern letters("[a-z]+", PatternDialect::kOniguruma, "test");
  EXPECT_THAT(pieces({ByteLevelStep{.pattern = letters}}, "ab1\n"), ElementsAre("ab", "1\u010A"));
  // What comes behind sees the written characters.
  EXPECT_THAT(pieces({ByteLevelStep{}, split("\u0120")}, "a b"), ElementsAre("a", "\u0120", "b"));
}

}  // namespace
}  // namespace kvscope
