#include "core/text/tokenizers/byte_pair_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The definition: of all neighbouring pairs the one with the lowest rank, leftmost first.
std::vector<std::string> merge_naively(std::vector<std::string> word,
                                       const BytePairModel::Merges& merges) {
  for (;;) {
    size_t best_rank = merges.size();
    size_t best_position = 0;
    for (size_t position = 0; position + 1 < word.size(); ++position) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank] == std::pair(word[position], word[position + 1])) {
          best_rank = rank;
          best_position = position;
        }
      }
    }
    if (best_rank == merges.size()) return word;
    word[best_position] += word[best_position + 1];
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(best_position) + 1);
  }
}

TEST(BytePairModel, EqualsTheDefinitionOnRandomMerges) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 60; ++round) {
    // Few letters, so that merges overlap and compete; ids in another order than ranks.
    std::vector<std::string> tokens = {"a", "b", "\u00E9"};
    BytePairModel::Merges merges;
    std::set<std::pair<std::string, std::string>> used;
    for (int i = 0; i < 25; ++i) {
      const std::string left = tokens[random() % tokens.size()];
      const std::string right = tokens[random() % tokens.size()];
      if (left.size() + right.size() > 9 || !used.emplace(left, right).second) continue;
      merges.emplace_back(left, right);
      if (std::ranges::find(tokens, left + right) == tokens.end()) tokens.push_back(left + right);
    }
    std::ranges::shuffle(merges, random);
    BytePairModel::Vocabulary vocabulary;
    for (const std::string& token : tokens) {
      vocabulary.emplace_back(token, static_cast<int64_t>(1000 - 3 * vocabulary.size()));
    }
    const BytePairModel model(vocabulary, merges, {});
    for (int text = 0; text < 20; ++text) {
      std::vector<std::string> letters;
      for (size_t i = random() % 40; i > 0; --i) letters.push_back(tokens[random() % 3]);
      std::string piece;
      for (const std::string& letter : letters) piece += letter;
      std::vector<int64_t> expected;
      for (const std::string& token : merge_naively(letters, merges)) {
        expected.push_back(*model.id_of(token));
      }
      EXPECT_EQ(model.encode(piece), expected) << piece;
    }
  }
}

TEST(BytePairModel, LongPiecesTakeNoQuadraticTime) {
  const BytePairModel model({{"a", 0}, {"aa", 1}, {"aaaa", 2}}, {{"a", "a"}, {"aa", "aa"}}, {});
  const std::vector<int64_t> ids = model.encode(std::string(400'003, 'a'));
  EXPECT_EQ(ids.size(), 100'000 + 2);
  EXPECT_EQ(ids[99'999], 2);
  EXPECT_EQ(ids[100'000], 1);
  EXPECT_EQ(ids[100'001], 0);
}

TEST(BytePairModel, UnknownCharacters) {
  const BytePairModel::Vocabulary vocabulary = {{"a", 0}, {"?", 5}};
  const BytePairModel silent(vocabulary, {}, {});
  EXPECT_THAT(silent.encode("xaxx"), ElementsAre(0));
  const BytePairModel one_each(vocabulary, {}, {.unknown = "?"});
  EXPECT_THAT(one_each.encode("xaxx"), ElementsAre(5, 0, 5, 5));
  const BytePairModel fused(vocabulary, {}, {.unknown = "?", .fuse_unknown = true});
  EXPECT_THAT(fused.encode("xaxx"), ElementsAre(5, 0, 5));
}

TEST(BytePairModel, IgnoreMergesTakesAWholePieceThatIsAToken) {
  const BytePairModel::Vocabulary vocabulary = {{"a", 0}, {"b", 1}, {"ab", 2}, {"aba", 3}};
  const BytePairModel merging(vocabulary, {{"a", "b"}}, {});
  EXPECT_THAT(merging.encode("aba"), ElementsAre(2, 0));
  const BytePairModel ignoring(vocabulary, {{"a", "b"}}, {.ignore_merges = true});
  EXPECT_THAT(ignoring.encode("aba"), ElementsAre(3));
  EXPECT_THAT(ignoring.encode("abab"), ElementsAre(2, 2));
}

TEST(BytePairModel, DamageIsNamed) {
  const auto error_of = [](const BytePairModel::Vocabulary& vocabulary,
                           const BytePairModel::Merges& merges,
                           const BytePairModel::Options& options = {}) -> std::string {
    try {
      const BytePairModel model(vocabulary, merges, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of({{"a", 0}, {"b", 0}}, {}), HasSubstr("share id 0"));
  EXPECT_THAT(error_of({{"a", -1}}, {}), HasSubstr("id -1"));
  EXPECT_THAT(error_of({{"a", int64_t{1} << 31}}, {}), HasSubstr("2147483648"));
  EXPECT_THAT(error_of({{"a", 0}}, {{"a", "a"}}), HasSubstr("merge 0: 'aa'"));
  EXPECT_THAT(error_of({{"a", 0}, {"aa", 1}}, {{"a", "a"}, {"a", "c"}}), HasSubstr("merge 1"));
  EXPECT_THAT(error_of({{"a", 0}}, {}, {.unknown = "<unk>"}), HasSubstr("<unk>"));
}

}  // namespace
}  // namespace kvscope
