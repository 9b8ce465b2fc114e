#include "policies/shares/uncut_layer_tokens.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

using Tokens = std::vector<int64_t>;

TEST(UncutLayerTokens, TheOthersShareTheRest) {
  EXPECT_EQ(uncut_layer_tokens(5, 2, 50, 100), (Tokens{100, 100, 17, 17, 16}));
  EXPECT_EQ(uncut_layer_tokens(5, 0, 50, 100), (Tokens{50, 50, 50, 50, 50}));
  EXPECT_EQ(uncut_layer_tokens(5, 2, 100, 100), (Tokens{100, 100, 100, 100, 100}));
  EXPECT_EQ(uncut_layer_tokens(3, 2, 10, 100), (Tokens{100, 100, 1}));  // more than the budget
  EXPECT_EQ(uncut_layer_tokens(2, 7, 10, 100), (Tokens{100, 100}));
}

}  // namespace
}  // namespace kvscope
