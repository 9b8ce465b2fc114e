#include "kernels/token_rows/token_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kvscope {
namespace {

double largest_error(const at::Tensor& x, const at::Tensor& expected) {
  return ((x.to(at::kDouble) - expected).abs() / (expected.abs() + 1e-3)).max().item<double>();
}

TEST(TokenRows, NormEqualsDoublePrecision) {
  for (const int64_t channels : {1, 5, 16, 33, 2048}) {
    for (const double size : {1e-4, 1.0, 1e6}) {
      const at::Tensor x = at::randn({3, 2, channels}) * size;
      const at::Tensor weight = at::randn({channels});
      const at::Tensor wide = x.to(at::kDouble);
      const at::Tensor expected =
          wide / at::sqrt(wide.square().mean(-1, true) + 1e-6) * weight.to(at::kDouble);
      EXPECT_LT(largest_error(rms_norm_rows(x, weight, 1e-6), expected), 2e-6) << channels;
    }
  }
}

TEST(TokenRows, NormOfOtherTypesRoundsBeforeTheWeight) {
  const at::Tensor x = at::randn({4, 40}).to(at::kBFloat16);
  const at::Tensor weight = at::randn({40}).to(at::kBFloat16);
  const at::Tensor y = rms_norm_rows(x, weight, 1e-5);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const at::Tensor ones = at::ones({40});
  EXPECT_TRUE(at::allclose(
      y, rms_norm_rows(x.to(at::kFloat), ones, 1e-5).to(at::kBFloat16) * weight, 1e-2, 1e-2));
}

TEST(TokenRows, NormPassesGradients) {
  const at::Tensor weight = at::ones({6}).requires_grad_();
  rms_norm_rows(at::randn({2, 6}), weight, 1e-5).sum().backward();
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_THROW(rms_norm_rows(at::randn({2, 5}), at::ones({6}), 1e-5), c10::Error);
}

/// x [rows, heads, tokens, head_dim] one channel at a time.
at::Tensor naive(const at::Tensor& x,
                 const at::Tensor& cosine,
                 const at::Tensor& sine,
                 bool neighbours) {
  const int64_t half = x.size(3) / 2;
  const std::vector<int64_t> shape{x.size(0), x.size(1), x.size(2), half};
  const at::Tensor c = cosine.expand(shape).to(at::kDouble);
  const at::Tensor s = sine.expand(shape).to(at::kDouble);
  at::Tensor y = at::empty(x.sizes(), at::kDouble);
  for (int64_t j = 0; j < half; ++j) {
    const int64_t first = neighbours ? 2 * j : j;
    const int64_t second = neighbours ? first + 1 : j + half;
    const at::Tensor a = x.select(3, first).to(at::kDouble);
    const at::Tensor b = x.select(3, second).to(at::kDouble);
    y.select(3, first).copy_(a * c.select(3, j) - b * s.select(3, j));
    y.select(3, second).copy_(b * c.select(3, j) + a * s.select(3, j));
  }
  return y;
}

TEST(TokenRows, RotatesEveryLayoutAndBroadcast) {
  for (const bool neighbours : {false, true}) {
    for (const int64_t tokens : {1, 7}) {
      for (const int64_t angle_rows : {1, 3}) {
        const at::Tensor by_token = at::randn({3, tokens, 5, 12});
        const at::Tensor x = by_token.transpose(1, 2);  // as heads come from a projection
        const at::Tensor angle = at::randn({angle_rows, 1, tokens, 6});
        const at::Tensor y = rotate_rows(x, at::cos(angle), at::sin(angle), neighbours);
        EXPECT_TRUE(at::allclose(y.to(at::kDouble),
                                 naive(x, at::cos(angle), at::sin(angle), neighbours), 1e-5, 1e-6));
      }
    }
  }
}

TEST(TokenRows, RotatesWhatBroadcastsTheOtherWay) {
  const at::Tensor x = at::randn({1, 2, 1, 8});
  const at::Tensor angle = at::randn({1, 1, 5, 4});
  const at::Tensor y = rotate_rows(x, at::cos(angle), at::sin(angle), false);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{1, 2, 5, 8}));
  EXPECT_TRUE(at::allclose(y.to(at::kDouble),
                           naive(x.expand({1, 2, 5, 8}), at::cos(angle), at::sin(angle), false),
                           1e-5, 1e-6));
}

TEST(TokenRows, OtherTypesTurnInTheirOwn) {
  const at::Tensor x = at::randn({1, 2, 3, 8}).to(at::kBFloat16);
  const at::Tensor angle = at::randn({1, 1, 3, 4});
  for (const bool neighbours : {false, true}) {
    const at::Tensor y = rotate_rows(x, at::cos(angle), at::sin(angle), neighbours);
    EXPECT_EQ(y.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(at::allclose(y.to(at::kDouble),
                             naive(x, at::cos(angle), at::sin(angle), neighbours), 4e-2, 4e-2));
  }
}

}  // namespace
}  // namespace kvscope
