#include "core/models/packed_tokens.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(PackTokenBits, FirstBitInTheHighestPlaceAcrossScales) {
  // Two images; the second one's bits are 1 0 1 | 0 1 1 0 0 1 1 1 1.
  const at::Tensor first = at::tensor({0, 0, 0, 1, 0, 1}, at::kByte).view({2, 1, 1, 3});
  const at::Tensor second =
      at::cat({at::ones({9}, at::kByte), at::tensor({0, 1, 1, 0, 0, 1, 1, 1, 1}, at::kByte)})
          .view({2, 1, 3, 3});
  const std::vector<at::Tensor> bits = {first, second};
  EXPECT_THAT(pack_token_bits(bits, 1), testing::ElementsAre(0b10101100, 0b11110000));
  EXPECT_THAT(pack_token_bits(bits, 0), testing::ElementsAre(0b00011111, 0b11110000));
}

TEST(PackTokenIds, LowByteFirst) {
  const at::Tensor ids = at::tensor({1, 2, 258, 65535}, at::kLong).view({2, 2});
  EXPECT_THAT(pack_token_ids(ids, 1), testing::ElementsAre(2, 1, 255, 255));
  EXPECT_THROW(pack_token_ids(at::tensor({70000}, at::kLong).view({1, 1}), 0), std::logic_error);
}

}  // namespace
}  // namespace kvscope
