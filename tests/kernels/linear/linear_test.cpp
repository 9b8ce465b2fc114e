#include "kernels/linear/linear.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "kernels/linear/few_rows.h"

namespace kvscope {
namespace {

/// |x| |W|^T + |bias|: what a sum of this many products is rounded by a few times the unit of.
at::Tensor magnitude(const at::Tensor& x, const at::Tensor& weight) {
  return at::matmul(x.to(at::kDouble).abs(), weight.to(at::kDouble).abs().t());
}

at::Tensor in_double(const at::Tensor& x, const at::Tensor& weight) {
  return at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t());
}

/// Sixteen lanes and their tree: at most in / 16 + 5 roundings a sum.
double bound(int64_t in) {
  return (static_cast<double>(in) / 16 + 6) * 6e-8;
}

/// Standard normal with some rows a thousand times as large, and a column that cancels.
at::Tensor spiky(at::IntArrayRef shape) {
  at::Tensor x = at::randn(shape);
  x.select(0, 0).mul_(1000);
  x.select(-1, x.size(-1) - 1).fill_(3e4F);
  return x;
}

TEST(Linear, EqualsDoublePrecisionForAllRowsSizesAndTypes) {
  at::manual_seed(1);
  for (const int64_t rows : {1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33}) {
    for (const int64_t in : {1, 15, 16, 17, 48, 129}) {
      for (const int64_t out : {1, 3, 8, 13, 64}) {
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
          const at::Tensor x = spiky({rows, in});
          const at::Tensor weight = spiky({out, in}).to(type);
          const at::Tensor error = (linear_layer(x, weight) - in_double(x, weight)).abs();
          // More rows than the kernel takes may meet bf16 weights in bf16.
          const bool is_rounded = rows > kFewRows && type == at::kBFloat16;
          const double allowed = is_rounded ? 1.2e-2 : bound(in);
          EXPECT_TRUE((error <= allowed * magnitude(x, weight) + 1e-30).all().item<bool>())
              << rows << " x " << in << " -> " << out << ", " << type;
        }
      }
    }
  }
}

TEST(Linear, BodiesAgreeBitByBit) {
  if (row_products() == row_products_avx2) GTEST_SKIP() << "this CPU has no AVX-512";
  for (const int64_t rows : {1, 2, 3, 4, 6, 11}) {
    for (const int64_t in : {7, 32, 75}) {
      for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        const at::Tensor x = at::randn({rows, in});
        const at::Tensor weight = at::randn({21, in}).to(type);
        std::array<at::Tensor, 2> results;
        for (size_t i = 0; i < 2; ++i) {
          results[i] = at::full({rows, 21}, NAN);
          const RowProducts products{.x = x.const_data_ptr<float>(),
                                     .rows = rows,
                                     .in = in,
                                     .weight = weight.const_data_ptr(),
                                     .type = type,
                                     .y = results[i].mutable_data_ptr<float>(),
                                     .y_stride = 21};
          (i == 0 ? row_products_avx2 : row_products_avx512)(products, 0, 21);
        }
        EXPECT_TRUE(at::equal(results[0], results[1])) << rows << " rows of " << in;
      }
    }
  }
}

TEST(Linear, ARowDoesNotDependOnTheOthersOrOnThreads) {
  const at::Tensor x = at::randn({kFewRows, 300});
  const at::Tensor weight = at::randn({1000, 300});
  const at::Tensor all = linear_layer(x, weight);
  for (const int64_t rows : {1, 2, 3, 17}) {
    EXPECT_TRUE(at::equal(linear_layer(x.narrow(0, 5, rows), weight), all.narrow(0, 5, rows)));
  }
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_TRUE(at::equal(linear_layer(x, weight), all));
  at::set_num_threads(threads);
}

TEST(Linear, BiasActivationAndResidualFollow) {
  const at::Tensor x = at::randn({2, 3, 40});
  const at::Tensor weight = at::randn({9, 40});
  const at::Tensor bias = at::randn({9});
  const at::Tensor residual = at::randn({2, 3, 9});
  const at::Tensor plain = in_double(x.flatten(0, 1), weight).view({2, 3, 9}) + bias;
  const auto expect = [&](Activation activation, const at::Tensor& active) {
    const at::Tensor y = linear_layer(x, weight, bias, activation, residual);
    EXPECT_EQ(y.sizes(), residual.sizes());
    EXPECT_TRUE(at::allclose(y.to(at::kDouble), active + residual, 1e-5, 2e-5))
        << static_cast<int>(activation);
  };
  expect(Activation::kNone, plain);
  expect(Activation::kSilu, plain * at::sigmoid(plain));
  expect(Activation::kGelu, plain * (1 + at::erf(plain * std::sqrt(0.5))) / 2);
  const at::Tensor inner = std::sqrt(2 / std::acos(-1.0)) * (plain + 0.044715 * plain.pow(3));
  expect(Activation::kGeluTanh, plain * (1 + at::tanh(inner)) / 2);
}

TEST(Linear, SeveralWeightsGiveWhatEachGives) {
  const at::Tensor x = at::randn({3, 50});
  const std::array<at::Tensor, 3> weights = {
      at::randn({17, 50}), at::randn({8, 50}).to(at::kBFloat16), at::randn({1, 50})};
  const std::vector<at::Tensor> ys = linear_layers(x, weights);
  ASSERT_EQ(ys.size(), 3);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(at::equal(ys[i], linear_layer(x, weights[i])));
}

TEST(Linear, AGateMultiplies) {
  for (const int64_t rows : {2, 40}) {  // by the kernel, by the library
    const at::Tensor x = at::randn({rows, 33});
    const at::Tensor gate = at::randn({19, 33});
    const at::Tensor up = at::randn({19, 33});
    const at::Tensor gated = in_double(x, gate);
    const at::Tensor expected = gated * at::sigmoid(gated) * in_double(x, up);
    EXPECT_TRUE(at::allclose(gated_layer(x, gate, up).to(at::kDouble), expected, 1e-5, 1e-4));
  }
}

TEST(Linear, KeepsTheTypeOfTheRows) {
  const at::Tensor x = at::randn({2, 64}).to(at::kBFloat16);
  const at::Tensor weight = at::randn({5, 64}).to(at::kBFloat16);
  const at::Tensor y = linear_layer(x, weight);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(y, linear_layer(x.to(at::kFloat), weight).to(at::kBFloat16)));
}

TEST(Linear, ManyRowsMeetNarrowWeightsInTheirTypeAtMost) {
  const at::Tensor x = at::randn({40, 64});
  const at::Tensor weight = at::randn({5, 64}).to(at::kBFloat16);
  const at::Tensor bias = at::randn({5});
  const at::Tensor y = linear_layer(x, weight, bias);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  const at::Tensor error = (y - in_double(x, weight) - bias).abs();
  EXPECT_TRUE((error <= 8e-3 * magnitude(x, weight)).all().item<bool>());
}

TEST(Linear, GradientsReachTheWeights) {
  const at::Tensor weight = at::randn({4, 6}).requires_grad_();
  linear_layer(at::randn({2, 6}), weight).sum().backward();
  EXPECT_TRUE(weight.grad().defined());
}

TEST(Linear, NotANumberStaysInItsOutput) {
  at::Tensor weight = at::randn({6, 20});
  weight.index_put_({3, 4}, NAN);
  const at::Tensor y = linear_layer(at::randn({2, 20}), weight);
  EXPECT_TRUE(at::isnan(y.select(1, 3)).all().item<bool>());
  EXPECT_EQ(at::isnan(y).sum().item<int64_t>(), 2);
}

TEST(Linear, NothingGivesNothing) {
  EXPECT_EQ(linear_layer(at::empty({0, 5}), at::randn({3, 5})).sizes(),
            (std::vector<int64_t>{0, 3}));
  EXPECT_TRUE(at::equal(linear_layer(at::empty({2, 0}), at::empty({3, 0})), at::zeros({2, 3})));
}

TEST(Linear, OtherShapesAreRefused) {
  EXPECT_THROW(linear_layer(at::randn({2, 5}), at::randn({3, 6})), c10::Error);
  EXPECT_THROW(gated_layer(at::randn({2, 5}), at::randn({3, 5}), at::randn({4, 5})), c10::Error);
}

}  // namespace
}  // namespace kvscope
