// LibTorch's operators on the fake device give what they give on the CPU, bit for bit.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/fake_device/fake_device.h"

namespace kvscope {
namespace {

using Tensors = std::vector<at::Tensor>;

struct Inputs {
  at::Tensor x = at::randn({4, 6, 8});
  at::Tensor y = at::randn({4, 6, 8});
  at::Tensor matrix = at::randn({5, 8});
  at::Tensor bias = at::randn({5});
  at::Tensor image = at::randn({2, 3, 9, 7});
  at::Tensor filters = at::randn({6, 3, 3, 3});
  at::Tensor index = at::randint(0, 6, {4, 6, 8}, at::kLong);
  at::Tensor rows = at::tensor({2, 0, 3}, at::kLong);
  at::Tensor device_of = at::zeros({1});

  [[nodiscard]] Inputs to(at::Device device) const {
    Inputs there = *this;
    for (at::Tensor* tensor : {&there.x, &there.y, &there.matrix, &there.bias, &there.image,
                               &there.filters, &there.index, &there.rows, &there.device_of}) {
      *tensor = tensor->to(device);
    }
    return there;
  }
  [[nodiscard]] at::TensorOptions options() const { return device_of.options(); }
};

struct Case {
  std::string name;
  std::function<Tensors(const Inputs&)> run;
};

void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.name;
}

Tensors pair(const std::tuple<at::Tensor, at::Tensor>& tensors) {
  return {std::get<0>(tensors), std::get<1>(tensors)};
}

std::vector<Case> cases() {
  return {
      {"arithmetic", [](const Inputs& in) { return Tensors{(in.x * 2 + in.y / 3 - 1).pow(2)}; }},
      {"in_place",
       [](const Inputs& in) {
         at::Tensor z = in.x.clone();
         z.mul_(in.y).add_(1).clamp_(-1, 2).transpose_(0, 1).narrow(0, 1, 3).zero_();
         return Tensors{z};
       }},
      {"out",
       [](const Inputs& in) {
         at::Tensor out = at::empty({0}, in.options());
         at::add_out(out, in.x, in.y);
         return Tensors{out};
       }},
      {"resize",
       [](const Inputs& in) {
         at::Tensor smaller = in.x.clone();
         at::Tensor larger = in.x.clone();
         at::Tensor shared = at::empty({0}, in.options());
         shared.set_(in.x.storage(), 5, {2, 3}, {8, 1});
         return Tensors{smaller.resize_({2, 3}), larger.resize_({9, 6, 8}).narrow(0, 0, 4), shared};
       }},
      {"index_select", [](const Inputs& in) { return Tensors{in.x.index_select(0, in.rows)}; }},
      {"index",
       [](const Inputs& in) {
         return Tensors{in.x.index({in.rows, in.rows})};
       }},
      {"index_put",
       [](const Inputs& in) {
         return Tensors{in.x.index_put({in.rows}, in.y.narrow(0, 0, 3), true)};
       }},
      {"index_copy",
       [](const Inputs& in) {
         return Tensors{in.x.clone().index_copy_(0, in.rows, in.y.narrow(0, 0, 3)),
                        in.x.clone().index_add_(0, in.rows, in.y.narrow(0, 0, 3)),
                        in.x.clone().index_fill_(0, in.rows, 2)};
       }},
      {"gather", [](const Inputs& in) { return Tensors{in.x.gather(1, in.index)}; }},
      {"scatter",
       [](const Inputs& in) {
         return Tensors{in.x.scatter(1, in.index, 3.0), in.x.scatter_add(1, in.index, in.y)};
       }},
      {"sort", [](const Inputs& in) { return pair(in.x.sort(-1, true)); }},
      {"topk", [](const Inputs& in) { return pair(in.x.topk(3, 1)); }},
      {"kthvalue", [](const Inputs& in) { return pair(in.x.kthvalue(2, 1)); }},
      {"max", [](const Inputs& in) { return pair(in.x.max(1)); }},
      {"aminmax", [](const Inputs& in) { return pair(in.x.aminmax(1)); }},
      {"sums",
       [](const Inputs& in) {
         return Tensors{in.x.sum(), in.x.mean(at::IntArrayRef{0, 2}), in.x.cumsum(1), in.x.norm(),
                        in.x.argmax(-1)};
       }},
      {"softmax",
       [](const Inputs& in) {
         return Tensors{in.x.softmax(-1), in.x.log_softmax(1)};
       }},
      {"matmul",
       [](const Inputs& in) {
         return Tensors{at::matmul(in.x, in.y.transpose(1, 2)), at::matmul(in.x, in.matrix.t()),
                        at::outer(in.bias, in.bias), at::dot(in.bias, in.bias)};
       }},
      {"linear",
       [](const Inputs& in) {
         return Tensors{at::linear(in.x, in.matrix, in.bias), at::linear(in.x, in.matrix)};
       }},
      {"linear_bf16",
       [](const Inputs& in) {
         return Tensors{at::linear(in.x.to(at::kBFloat16), in.matrix.to(at::kBFloat16))};
       }},
      {"conv2d",
       [](const Inputs& in) {
         return Tensors{at::conv2d(in.image, in.filters, {}, 2, 1),
                        at::conv_transpose2d(in.image, in.filters.narrow(0, 0, 3))};
       }},
      {"norms",
       [](const Inputs& in) {
         return Tensors{at::layer_norm(in.x, {8}, in.x[0][0], in.y[0][0]),
                        at::group_norm(in.image, 3), at::rsqrt(in.x.square().mean(-1))};
       }},
      {"embedding", [](const Inputs& in) { return Tensors{at::embedding(in.matrix, in.rows)}; }},
      {"joining",
       [](const Inputs& in) {
         return Tensors{at::cat({in.x, in.y}, 1),
                        at::stack({in.x, in.y}),
                        in.x.repeat({2, 1, 1}),
                        in.x.roll(2, 1),
                        in.x.flip(1),
                        at::constant_pad_nd(in.x, {1, 2})};
       }},
      {"masks",
       [](const Inputs& in) {
         return Tensors{at::where(in.x > 0, in.x, in.y),
                        in.x.masked_fill(in.y < 0, 7),
                        in.x.masked_select(in.y > 0),
                        in.x.nonzero(),
                        (in.x > 0).logical_not(),
                        at::isfinite(in.x),
                        in.x.triu(1)};
       }},
      {"activations",
       [](const Inputs& in) {
         return Tensors{at::silu(in.x), at::gelu(in.x, "tanh"), in.x.sigmoid(), in.x.exp()};
       }},
      {"resampling",
       [](const Inputs& in) {
         return Tensors{at::upsample_bicubic2d(in.image, {4, 5}, false),
                        at::upsample_nearest2d(in.image, {18, 14}),
                        at::avg_pool2d(in.image, 2),
                        at::adaptive_avg_pool2d(in.image, {3, 3}),
                        at::max_pool1d(in.x, 3),
                        at::pixel_shuffle(in.image.view({1, 54, 7, 1}).narrow(1, 0, 52), 2)};
       }},
      {"counting",
       [](const Inputs& in) {
         return Tensors{at::bincount(in.index.flatten(), {}, 9), in.index.remainder(3),
                        in.index.bitwise_and(1), in.index.to(at::kByte)};
       }},
      {"attention",
       [](const Inputs& in) {
         const at::Tensor q = in.x.unsqueeze(1);
         const at::Tensor k = in.y.unsqueeze(1);
         return Tensors{at::softmax(at::matmul(q, k.transpose(-1, -2)), -1).matmul(k)};
       }},
      {"factories",
       [](const Inputs& in) {
         const at::TensorOptions options = in.options();
         return Tensors{at::full({3}, 2, options),
                        at::zeros({2, 2}, options),
                        at::ones({3}, options),
                        at::arange(2, 9, 3, options),
                        at::eye(3, options),
                        at::tensor({1, 2, 3}, options),
                        at::scalar_tensor(4, options),
                        at::zeros_like(in.x),
                        at::full_like(in.x, 5),
                        at::linspace(0, 1, 5, options),
                        at::tril_indices(3, 3, 0, options.dtype(at::kLong))};
       }},
      {"foreach",
       [](const Inputs& in) {
         Tensors averages{in.x.clone(), in.y.clone()};
         at::_foreach_lerp_(averages, {in.y, in.x}, 0.25);
         at::_foreach_mul_(averages, 3.0);
         return averages;
       }},
  };
}

class Operator : public ::testing::TestWithParam<Case> {};

TEST_P(Operator, GivesWhatItGivesOnTheCpu) {
  const Inputs host;
  const Tensors expected = GetParam().run(host);
  const Tensors given = GetParam().run(host.to(open_fake_device()));
  ASSERT_EQ(given.size(), expected.size());
  for (size_t i = 0; i < given.size(); ++i) {
    EXPECT_TRUE(given[i].is_privateuseone()) << i;
    EXPECT_EQ(given[i].strides(), expected[i].strides()) << i;
    EXPECT_TRUE(given[i].cpu().equal(expected[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Operator, ::testing::ValuesIn(cases()), [](const auto& tested) {
  return tested.param.name;
});

TEST(Operator, ScaledDotProductAttentionIsNearTheCpus) {
  const at::Tensor q = at::randn({2, 3, 5, 8});
  const at::Tensor there = q.to(open_fake_device());
  EXPECT_TRUE(at::scaled_dot_product_attention(there, there, there)
                  .cpu()
                  .allclose(at::scaled_dot_product_attention(q, q, q), 1e-5, 1e-6));
}

}  // namespace
}  // namespace kvscope
