#include "experiments/results/natural_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace kvscope {
namespace {

const std::vector<std::string> kOrdered = {
    "-1",      "0", "0.25", "0.5",       "8",         "16",         "1e3", "[1, 2]",
    "[1, 10]", "a", "a 8",  "a 16, b 2", "a 16, b 9", "a 16, b 10", "a b", "b"};

TEST(NaturalOrder, NumbersByValueTextByLetters) {
  std::vector<std::string> shuffled = kOrdered;
  std::mt19937 random(3);  // NOLINT: the same shuffles every time
  for (int i = 0; i < 20; ++i) {
    std::ranges::shuffle(shuffled, random);
    std::ranges::sort(shuffled, natural_less);
    EXPECT_THAT(shuffled, testing::ElementsAreArray(kOrdered));
  }
}

TEST(NaturalOrder, IsAStrictWeakOrder) {
  std::vector<std::string> words = kOrdered;
  for (const char* odd :
       {"", "08", "8", "x08", "x8", "nan", "inf", "99999999999999999999999", "-"}) {
    words.emplace_back(odd);
  }
  for (const std::string& a : words) {
    EXPECT_FALSE(natural_less(a, a)) << a;
    for (const std::string& b : words) {
      if (a != b) {
        EXPECT_NE(natural_less(a, b), natural_less(b, a)) << a << " | " << b;
      }
      for (const std::string& c : words) {
        if (natural_less(a, b) && natural_less(b, c)) {
          EXPECT_TRUE(natural_less(a, c)) << a << " | " << b << " | " << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
