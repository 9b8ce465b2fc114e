#include "kernels/quantise/quantise.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/support/ops_on_test_device.h"

namespace kvscope {
namespace {

std::vector<int64_t> all_items(const at::Tensor& x) {
  std::vector<int64_t> items(static_cast<size_t>(x.size(0)));
  std::iota(items.begin(), items.end(), 0);
  return items;
}

PackedLines empty_lines(const at::Tensor& x, int64_t bits, int64_t group, at::ScalarType type) {
  const std::vector<int64_t> shape{x.size(0), x.size(1), group_count(x.size(2), group)};
  return {.codes = at::full({x.size(0), x.size(1), code_words(x.size(2), bits)}, -1, at::kInt),
          .scale = at::full(shape, NAN, type),
          .minimum = at::full(shape, NAN, type),
          .bits = bits,
          .group = group};
}

/// Code of an element, taken out of its word.
int64_t code_at(const PackedLines& lines, int64_t item, int64_t lane, int64_t element) {
  const int64_t word = element * lines.bits / 32;
  const auto bits = static_cast<uint32_t>(lines.codes.accessor<int32_t, 3>()[item][lane][word]);
  return (bits >> (element * lines.bits % 32)) & ((1U << lines.bits) - 1U);
}

at::Tensor truths(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong).to(at::kBool);
}

/// Ordinary and spiky numbers; channels adjacent (keys) or elements adjacent (values).
at::Tensor numbers(
    int64_t items, int64_t lanes, int64_t elements, bool side_by_side, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  at::Tensor x = at::randn({items, elements, lanes}, generator);
  x.view({-1}).slice(0, 0, {}, 13).mul_(40.0);
  return side_by_side ? x.transpose(1, 2) : x.transpose(1, 2).contiguous();
}

struct Form {
  int64_t items, lanes, elements, bits, group;
  bool side_by_side;
};

const std::vector<Form> kForms{
    {3, 70, 32, 2, 32, true},   {2, 5, 45, 4, 7, true},     {2, 130, 33, 8, 32, true},
    {4, 1, 32, 2, 32, false},   {5, 1, 200, 4, 64, false},  {3, 1, 45, 8, 45, false},
    {2, 3, 17, 2, 5, false},    {1, 1, 1, 2, 32, false},    {2, 4, 64, 4, 16, true},
    {3, 1, 300, 8, 300, false}, {2, 1, 129, 2, 100, false},
};

TEST(Quantise, FollowsTheEquationsInDouble) {
  for (const Form& form : kForms) {
    const at::Tensor x = numbers(form.items, form.lanes, form.elements, form.side_by_side, 3);
    const PackedLines lines = empty_lines(x, form.bits, form.group, at::kFloat);
    EXPECT_TRUE(on_test_device::quantise(x, all_items(x), lines, all_items(x)).all().item<bool>());
    const at::Tensor back = at::full_like(x, NAN);
    on_test_device::dequantise(lines, all_items(x), back, all_items(x));
    const auto levels = static_cast<double>((1 << form.bits) - 1);
    const auto values = x.accessor<float, 3>();
    const auto returned = back.accessor<float, 3>();
    const auto scales = lines.scale.accessor<float, 3>();
    const auto minima = lines.minimum.accessor<float, 3>();
    for (int64_t item = 0; item < form.items; ++item) {
      for (int64_t lane = 0; lane < form.lanes; ++lane) {
        for (int64_t element = 0; element < form.elements; ++element) {
          const int64_t group = element / form.group;
          const int64_t first = group * form.group;
          double low = INFINITY;
          double high = -INFINITY;
          for (int64_t e = first; e < std::min(first + form.group, form.elements); ++e) {
            low = std::min(low, static_cast<double>(values[item][lane][e]));
            high = std::max(high, static_cast<double>(values[item][lane][e]));
          }
          const double scale = (high - low) / levels;
          const double value = values[item][lane][element];
          EXPECT_NEAR(scales[item][lane][group], scale, 1e-6 * scale);
          EXPECT_EQ(minima[item][lane][group], low);
          const int64_t code = code_at(lines, item, lane, element);
          const double exact = scale > 0 ? (value - low) / scale : 0;
          if (std::abs(exact - std::floor(exact) - 0.5) > 1e-4) {
            EXPECT_EQ(code, std::llround(exact));
          } else {
            EXPECT_LE(std::abs(static_cast<double>(code) - exact), 0.5 + 1e-4);
          }
          const double rounding = 4e-7 * std::max(std::abs(low), std::abs(high));
          EXPECT_LE(std::abs(returned[item][lane][element] - value), scale / 2 + rounding);
        }
      }
    }
  }
}

TEST(Quantise, RoundsEveryOperationToTheStorageTypeHalfToEven) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const int64_t bits : {2, 4, 8}) {
      for (const bool side_by_side : {false, true}) {
        const at::Tensor x = numbers(3, 6, 64, side_by_side, 5).to(type);
        const PackedLines lines = empty_lines(x, bits, 32, type);
        on_test_device::quantise(x, all_items(x), lines, all_items(x));
        // LibTorch rounds the result of every operation on a narrow type to it.
        const at::Tensor groups = x.reshape({3, 6, 2, 32});
        const at::Tensor low = groups.amin(-1);
        const at::Tensor scale = (groups.amax(-1) - low).div((1 << bits) - 1);
        EXPECT_TRUE(at::equal(lines.minimum, low));
        EXPECT_TRUE(at::equal(lines.scale, scale));
        const at::Tensor codes =
            (groups - low.unsqueeze(-1)).div(scale.unsqueeze(-1)).clamp(0, (1 << bits) - 1).round();
        for (int64_t element = 0; element < 64; ++element) {
          EXPECT_EQ(code_at(lines, 1, 4, element),
                    codes[1][4][element / 32][element % 32].item<int64_t>());
        }
        at::Tensor back = at::zeros_like(x);
        on_test_device::dequantise(lines, all_items(x), back, all_items(x));
        const at::Tensor expected = (codes * scale.unsqueeze(-1)) + low.unsqueeze(-1);
        EXPECT_TRUE(at::equal(back, expected.reshape(x.sizes())));
      }
    }
  }
}

TEST(Quantise, AnExactHalfGoesToTheEvenCode) {
  const at::Tensor x = at::tensor({0.0F, 0.5F, 1.5F, 2.5F, 3.0F}).view({1, 1, 5});
  const PackedLines lines = empty_lines(x, 2, 5, at::kFloat);
  on_test_device::quantise(x, all_items(x), lines, all_items(x));
  EXPECT_EQ(lines.codes.item<int32_t>(), 0 | 0 << 2 | 2 << 4 | 2 << 6 | 3 << 8);
}

TEST(Quantise, AConstantGroupComesBackExactly) {
  for (const bool side_by_side : {false, true}) {
    const at::Tensor x = numbers(2, 3, 10, side_by_side, 7);
    x[1][2].fill_(-0.3);
    const PackedLines lines = empty_lines(x, 4, 10, at::kFloat);
    EXPECT_TRUE(on_test_device::quantise(x, all_items(x), lines, all_items(x)).all().item<bool>());
    EXPECT_EQ(lines.scale[1][2][0].item<float>(), 0.0F);
    EXPECT_EQ(code_at(lines, 1, 2, 9), 0);
    at::Tensor back = at::full_like(x, NAN);
    on_test_device::dequantise(lines, all_items(x), back, all_items(x));
    EXPECT_TRUE(at::equal(back[1][2], x[1][2]));
  }
}

TEST(Quantise, FirstElementLiesInTheLowBitsAndOtherItemsStay) {
  const at::Tensor x = at::arange(16, at::kFloat).view({1, 1, 16});
  const PackedLines lines{.codes = at::full({3, 1, 2}, 77, at::kInt),
                          .scale = at::full({3, 1, 1}, 77.0F),
                          .minimum = at::full({3, 1, 1}, 77.0F),
                          .bits = 4,
                          .group = 16};
  on_test_device::quantise(x, std::vector<int64_t>{0}, lines, std::vector<int64_t>{1});
  EXPECT_EQ(lines.codes[1][0][0].item<int32_t>(), 0x76543210);
  EXPECT_EQ(static_cast<uint32_t>(lines.codes[1][0][1].item<int32_t>()), 0xFEDCBA98U);
  for (const int64_t other : {0, 2}) {
    EXPECT_TRUE((lines.codes[other] == 77).all().item<bool>());
    EXPECT_EQ(lines.scale[other].item<float>(), 77.0F);
  }
}

TEST(Quantise, WhatIsNotFiniteIsReportedByItem) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const bool side_by_side : {false, true}) {
      const at::Tensor x = numbers(4, 3, 20, side_by_side, 9);
      x[2][1][17] = bad;
      const PackedLines lines = empty_lines(x, 2, 8, at::kFloat);
      const at::Tensor finite = on_test_device::quantise(x, all_items(x), lines, all_items(x));
      EXPECT_TRUE(at::equal(finite, truths({1, 1, 0, 1})));
    }
  }
  // A range beyond the type has no scale.
  const at::Tensor wide = at::tensor({-60000.0F, 60000.0F}).to(at::kHalf).view({1, 1, 2});
  const PackedLines lines = empty_lines(wide, 4, 2, at::kHalf);
  EXPECT_FALSE(
      on_test_device::quantise(wide, all_items(wide), lines, all_items(wide)).item<bool>());
}

TEST(Quantise, ScaleOfAWiderTypeThanTheNumbersHoldsTheBound) {
  const at::Tensor x = numbers(6, 1, 64, false, 11).to(at::kBFloat16);
  const PackedLines lines = empty_lines(x, 8, 64, at::kFloat);
  on_test_device::quantise(x, all_items(x), lines, all_items(x));
  const at::Tensor back = at::zeros(x.sizes());
  on_test_device::dequantise(lines, all_items(x), back, all_items(x));
  const at::Tensor error = (back - x.to(at::kFloat)).abs();
  EXPECT_TRUE((error <= lines.scale * 0.5001).all().item<bool>());
}

TEST(Quantise, WrongArgumentsAreNamed) {
  const at::Tensor x = at::zeros({2, 1, 8});
  PackedLines lines = empty_lines(x, 4, 8, at::kFloat);
  EXPECT_THROW(on_test_device::quantise(x, std::vector<int64_t>{2}, lines, std::vector<int64_t>{0}),
               c10::Error);
  EXPECT_THROW(
      on_test_device::quantise(x, std::vector<int64_t>{0}, lines, std::vector<int64_t>{-1}),
      c10::Error);
  EXPECT_THROW(
      on_test_device::quantise(x, std::vector<int64_t>{0, 1}, lines, std::vector<int64_t>{0}),
      c10::Error);
  lines.bits = 3;
  EXPECT_THROW(
      on_test_device::dequantise(lines, std::vector<int64_t>{0}, x, std::vector<int64_t>{0}),
      c10::Error);
  lines.bits = 8;
  EXPECT_THROW(
      on_test_device::dequantise(lines, std::vector<int64_t>{0}, x, std::vector<int64_t>{0}),
      c10::Error);
}

}  // namespace
}  // namespace kvscope
