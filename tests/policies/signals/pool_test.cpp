#include "policies/signals/pool.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

TEST(PoolTokens, EqualsTheDefinition) {
  for (const int64_t tokens : {1, 2, 5, 37}) {
    for (const int64_t kernel : {1, 3, 5, 7}) {
      const at::Tensor scores = at::randn({2, 3, tokens}).pow(3);
      const at::Tensor average = pool_tokens(scores, PoolKind::kAverage, kernel);
      const at::Tensor maximum = pool_tokens(scores, PoolKind::kMaximum, kernel);
      for (int64_t line = 0; line < 6; ++line) {
        const at::Tensor values = scores.view({6, tokens})[line];
        for (int64_t j = 0; j < tokens; ++j) {
          double sum = 0;
          double largest = -INFINITY;
          for (int64_t i = j - kernel / 2; i <= j + kernel / 2; ++i) {
            if (i >= 0 && i < tokens) {
              sum += values[i].item<double>();
              largest = std::max(largest, values[i].item<double>());
            }
          }
          const auto at = [&](const at::Tensor& pooled) {
            return pooled.reshape({6, tokens})[line][j].item<double>();
          };
          EXPECT_NEAR(at(average), sum / static_cast<double>(kernel), 1e-5);
          EXPECT_EQ(at(maximum), largest);
        }
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
