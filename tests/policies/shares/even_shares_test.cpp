#include "policies/shares/even_shares.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

using Tokens = std::vector<int64_t>;

TEST(EvenShares, GiveTheRemainderToTheFirst) {
  EXPECT_EQ(even_shares(14, 4, 1), (Tokens{4, 4, 3, 3}));
  EXPECT_EQ(even_shares(3, 4, 1), (Tokens{1, 1, 1, 1}));
  EXPECT_EQ(even_shares(-5, 2, 3), (Tokens{3, 3}));
  EXPECT_EQ(even_shares(9, 0, 1), Tokens{});
}

}  // namespace
}  // namespace kvscope
