// The VQ networks against loops in double, and the names and sizes of the published tokenizers.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "core/models/vq/vq_decoder.h"
#include "core/models/vq/vq_encoder.h"
#include "core/models/vq/vq_quantiser.h"
#include "core/models/vq/vq_tensors.h"
#include "tests/core/models/vq/naive_vq.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Case {
  const char* name;
  VqConfig config;
  int64_t height, width;  // tokens
};

const std::vector<Case> kCases = {
    {"one_level",
     {.base_channels = 6,
      .channel_multipliers = {1},
      .encoder_blocks = 1,
      .latent_channels = 5,
      .codebook_entries = 11,
      .code_width = 3,
      .norm_groups = 2},
     3,
     1},
    {"widening",
     {.base_channels = 4,
      .channel_multipliers = {1, 3},
      .encoder_blocks = 2,
      .latent_channels = 7,
      .codebook_entries = 17,
      .code_width = 4,
      .norm_groups = 2},
     2,
     3},
    {"three_levels",
     {.base_channels = 6,
      .channel_multipliers = {2, 1, 1},
      .encoder_blocks = 1,
      .latent_channels = 3,
      .codebook_entries = 29,
      .code_width = 2,
      .norm_groups = 3},
     1,
     2},
};

at::Generator generator(uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

// Random weights that leave nothing near zero, with some that stand out.
TensorMap spiky_weights(const VqConfig& config) {
  TensorMap weights = random_vq(vq_tensors(config), generator(5));
  for (const auto& [name, tensor] : weights) {
    at::Tensor changed = tensor;
    changed.add_(at::randn(tensor.sizes(), generator(6)), 0.1);
    changed.view({-1}).slice(0, 0, {}, 37).mul_(2);
  }
  return weights;
}

at::Tensor random_ids(const Case& c, int64_t images) {
  return at::randint(0, c.config.codebook_entries, {images, c.height, c.width}, generator(7),
                     at::TensorOptions(at::kLong));
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class VqCase : public testing::TestWithParam<Case> {};

TEST_P(VqCase, DecoderAgreesWithLoops) {
  const Case& c = GetParam();
  const TensorMap weights = spiky_weights(c.config);
  const at::Tensor ids = random_ids(c, 3);
  const at::Tensor images = vq_decode(c.config, weights, ids, "", 2);
  ASSERT_EQ(images.sizes(),
            at::IntArrayRef({3, 3, c.height * c.config.stride(), c.width * c.config.stride()}));
  const NaiveVq naive(c.config, weights);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_LT(largest_difference(images[i], naive.decode(ids[i])), 2e-5);
  }
}

TEST_P(VqCase, EncoderAgreesWithLoops) {
  const Case& c = GetParam();
  const TensorMap weights = spiky_weights(c.config);
  const int64_t stride = c.config.stride();
  const at::Tensor images =
      at::rand({2, 3, c.height * stride, c.width * stride}, generator(8)) * 2 - 1;
  const at::Tensor features = vq_encode_features(c.config, weights, images);
  const at::Tensor ids = vq_encode(c.config, weights, images, "");
  const NaiveVq naive(c.config, weights);
  const at::Tensor table = weights.at("quantize.embedding.weight").to(at::kDouble);
  for (int64_t i = 0; i < 2; ++i) {
    const at::Tensor expected = naive.encode(images[i].to(at::kDouble));
    EXPECT_LT(largest_difference(features[i], expected), 2e-5);
    for (int64_t y = 0; y < c.height; ++y) {
      for (int64_t x = 0; x < c.width; ++x) {
        const at::Tensor feature = expected.select(1, y).select(1, x);
        double best = 1e9;
        int64_t nearest = -1;
        for (int64_t row = 0; row < table.size(0); ++row) {
          const double distance = (feature / feature.norm() - table[row] / table[row].norm())
                                      .square()
                                      .sum()
                                      .item<double>();
          if (distance < best) {
            best = distance;
            nearest = row;
          }
        }
        EXPECT_EQ(ids[i][y][x].item<int64_t>(), nearest);
      }
    }
  }
}

TEST_P(VqCase, AImageIsWhatItIsAlone) {
  const Case& c = GetParam();
  const TensorMap weights = spiky_weights(c.config);
  const at::Tensor ids = random_ids(c, 5);
  const at::Tensor together = vq_decode(c.config, weights, ids, "");
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(
        at::equal(together.narrow(0, i, 1), vq_decode(c.config, weights, ids.narrow(0, i, 1), "")));
  }
  for (const int64_t at_once : {2, 3, 100}) {
    EXPECT_LT(largest_difference(vq_decode(c.config, weights, ids, "", at_once), together), 1e-5);
  }
  EXPECT_EQ(vq_decode(c.config, weights, ids.narrow(0, 0, 0), "").size(0), 0);
}

// Every weight takes part in a gradient, also those before the quantiser.
TEST_P(VqCase, GradientsReachEveryWeight) {
  const Case& c = GetParam();
  TensorMap leaves;
  for (const auto& [name, tensor] : spiky_weights(c.config)) {
    leaves.set(name, tensor.clone().requires_grad_(true));
  }
  const int64_t stride = c.config.stride();
  const at::Tensor images = at::randn({2, 3, c.height * stride, c.width * stride}, generator(9));
  const VqQuantised quantised =
      vq_quantise(vq_codebook(leaves), vq_encode_features(c.config, leaves, images));
  const at::Tensor decoded = vq_decode_codes(c.config, leaves, quantised.straight_through());
  EXPECT_LT(largest_difference(decoded, vq_decode(c.config, leaves, quantised.ids, "", 2)), 1e-5);
  (decoded.square().mean() + (quantised.codes - quantised.features.detach()).square().mean())
      .backward();
  for (const auto& [name, leaf] : leaves) {
    // A constant added to every key moves no softmax: a key bias has no gradient but rounding.
    if (name.ends_with(".k.bias")) continue;
    ASSERT_TRUE(leaf.grad().defined()) << name;
    EXPECT_GT(leaf.grad().abs().max().item<double>(), 0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, VqCase, testing::ValuesIn(kCases), [](const auto& case_info) {
  return std::string(case_info.param.name);
});

TEST(VqTensors, CountsOfThePublishedTokenizers) {
  const VqConfig vq16 = published_vq("vq_16");
  EXPECT_EQ(vq16.stride(), 16);
  EXPECT_EQ(parameter_count(vq_tensors(vq16)), 71'883'403);
  const int64_t codebook = 16384 * 8;
  EXPECT_EQ(parameter_count(vq_decoder_tensors(vq16)) - codebook - (256 * 8 + 256), 42'449'795);
  EXPECT_EQ(parameter_count(vq_encoder_tensors(vq16)) - codebook - (8 * 256 + 8), 29'298'176);
  const VqConfig vq8 = published_vq("vq_8");
  EXPECT_EQ(vq8.stride(), 8);
  EXPECT_EQ(parameter_count(vq_tensors(vq8)), 70'109'835);
  // The published counts of tensors include the buffer quantize.codebook_used.
  EXPECT_EQ(vq_tensors(vq16).size() + 1, 344u);
  EXPECT_EQ(vq_tensors(vq8).size() + 1, 300u);
  EXPECT_THAT(error_of([] { published_vq("vq16"); }), HasSubstr("vq_16"));
}

TEST(VqTensors, HuggingFaceNames) {
  EXPECT_EQ(vq_hugging_face_name("decoder.conv_blocks.3.res.0.nin_shortcut.weight"),
            "decoder.up.3.block.0.nin_shortcut.weight");
  EXPECT_EQ(vq_hugging_face_name("encoder.conv_blocks.4.attn.1.proj_out.bias"),
            "encoder.down.4.attn.1.proj_out.bias");
  EXPECT_EQ(vq_hugging_face_name("encoder.mid.0.conv2.bias"), "encoder.mid.block_1.conv2.bias");
  EXPECT_EQ(vq_hugging_face_name("decoder.mid.1.q.weight"), "decoder.mid.attn_1.q.weight");
  EXPECT_EQ(vq_hugging_face_name("decoder.mid.2.norm1.bias"), "decoder.mid.block_2.norm1.bias");
  EXPECT_EQ(vq_hugging_face_name("decoder.conv_blocks.0.upsample.conv.bias"),
            "decoder.up.0.upsample.conv.bias");
  EXPECT_EQ(vq_hugging_face_name("quantize.embedding.weight"), "quantize.embedding.weight");
  std::set<std::string> names;
  for (const WeightSpec& spec : vq_tensors({})) names.insert(vq_hugging_face_name(spec.name));
  EXPECT_EQ(names.size(), vq_tensors({}).size());
}

TEST(VqTensors, BothSpellingsAndHalfPrecisionDecodeAlike) {
  const Case& c = kCases[1];
  const TensorMap weights = spiky_weights(c.config);
  TensorMap half, renamed;
  for (const auto& [name, tensor] : weights) {
    half.set("vq." + name, tensor.to(at::kBFloat16));
    renamed.set("model.vqmodel." + vq_hugging_face_name(name),
                tensor.to(at::kBFloat16).to(at::kFloat));
  }
  const at::Tensor ids = random_ids(c, 2);
  const at::Tensor images = vq_decode(c.config, half, ids, "vq.");
  EXPECT_EQ(images.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(images, vq_decode(c.config, renamed, ids, "model.vqmodel.")));
}

TEST(VqTensors, WhatDoesNotFitIsListed) {
  const Case& c = kCases[1];
  TensorMap weights = spiky_weights(c.config).below("decoder.");
  weights.set("conv_out.bias", at::zeros({4}));
  TensorMap wrong;
  for (const auto& [name, tensor] : weights) wrong.set("vq.decoder." + name, tensor);
  EXPECT_THAT(error_of([&] { vq_decode(c.config, wrong, random_ids(c, 1), "vq."); }),
              AllOf(HasSubstr("missing 'vq.quantize.embedding.weight' [17, 4]"),
                    HasSubstr("missing 'vq.post_quant_conv.bias' [7]"),
                    HasSubstr("'vq.decoder.conv_out.bias' has shape [4], expected [3]")));
}

TEST(VqConfig, ImpossibleNumbersAreNamed) {
  const auto error = [](auto change) {
    VqConfig config;
    change(config);
    return error_of([&] { vq_tensors(config); });
  };
  EXPECT_THAT(error([](VqConfig& c) { c.norm_groups = 48; }),
              AllOf(HasSubstr("vq.norm_groups=48"), HasSubstr("vq.base_channels=128")));
  EXPECT_THAT(error([](VqConfig& c) { c.channel_multipliers.clear(); }), HasSubstr("0 levels"));
  EXPECT_THAT(error([](VqConfig& c) {
                c.channel_multipliers = {1, -2};
              }),
              HasSubstr("vq.channel_multipliers=-2"));
  EXPECT_THAT(error([](VqConfig& c) { c.channel_multipliers.assign(9, 1); }),
              HasSubstr("9 levels"));
  EXPECT_THAT(error([](VqConfig& c) { c.codebook_entries = 0; }),
              HasSubstr("vq.codebook_entries=0"));
  EXPECT_THAT(error([](VqConfig& c) { c.code_width = int64_t{1} << 60; }), HasSubstr("code_width"));
}

TEST(VqQuantiser, LooksUpByDirection) {
  const at::Tensor table = at::tensor({3.0F, 4.0F, 0.0F, -2.0F, 0.0F, 0.0F}).view({3, 2});
  TensorMap weights;
  weights.set("quantize.embedding.weight", table);
  const at::Tensor codebook = vq_codebook(weights);
  EXPECT_TRUE(
      at::allclose(codebook, at::tensor({0.6F, 0.8F, 0.0F, -1.0F, 0.0F, 0.0F}).view({3, 2})));
  const at::Tensor codes = vq_lookup(codebook, at::tensor({1, 0, 2, 0}, at::kInt).view({1, 2, 2}));
  EXPECT_TRUE(at::equal(codes[0][1], at::tensor({-1.0F, 0.8F, 0.0F, 0.8F}).view({2, 2})));
  // Length does not matter, direction does; a row of zeros is 1 away from everything.
  const at::Tensor features =
      at::tensor({0.0F, 300.0F, -1e-3F, -7.0F, 400.0F, 0.0F}).view({1, 2, 1, 3});
  EXPECT_TRUE(
      at::equal(vq_nearest(codebook, features), at::tensor({1, 0, 2}, at::kLong).view({1, 1, 3})));
  EXPECT_THAT(error_of([&] {
                vq_lookup(codebook, at::full({1, 1, 1}, 3, at::kLong));
              }),
              AllOf(HasSubstr("id 3"), HasSubstr("0..2")));
  EXPECT_THAT(error_of([&] {
                vq_lookup(codebook, at::full({1, 1, 1}, -1, at::kLong));
              }),
              HasSubstr("id -1"));
  EXPECT_THAT(error_of([&] { vq_lookup(codebook, at::zeros({1, 1, 1})); }), HasSubstr("integers"));
  EXPECT_THAT(error_of([&] { vq_lookup(codebook, at::zeros({4}, at::kLong)); }),
              HasSubstr("1 dimensions"));
}

// The lowest id wins among rows of one direction, and a codebook larger than one part of the
// distances is searched whole.
TEST(VqQuantiser, TiesAndLargeCodebooks) {
  at::Tensor table = at::randn({1 << 13, 3}, generator(3));
  table[8000] = table[77] * 2;
  const at::Tensor pixels = table.index_select(0, at::arange(0, 8192, 3));
  const at::Tensor features = pixels.t().reshape({1, 3, 1, -1});
  const at::Tensor codebook = table / table.norm(2, {1}, true);
  const at::Tensor ids = vq_nearest(codebook, features).view({-1});
  const at::Tensor similarity = at::matmul(pixels.to(at::kDouble), table.to(at::kDouble).t()) /
                                pixels.to(at::kDouble).norm(2, {1}, true) /
                                table.to(at::kDouble).norm(2, {1}).unsqueeze(0);
  const at::Tensor found = similarity.gather(1, ids.unsqueeze(1)).squeeze(1);
  EXPECT_LT(largest_difference(found, std::get<0>(similarity.max(1))), 1e-6);
  at::Tensor both = at::stack({table[77], table[8000]}, 1).view({1, 3, 1, 2});
  TensorMap same;
  same.set("quantize.embedding.weight", table[77].unsqueeze(0).repeat({5, 1}));
  EXPECT_TRUE(at::equal(vq_nearest(vq_codebook(same), both), at::zeros({1, 1, 2}, at::kLong)));
}

TEST(VqEncoder, ImagesThatDoNotFitAreRefused) {
  const Case& c = kCases[2];
  const TensorMap weights = spiky_weights(c.config);
  for (const at::Tensor& images :
       {at::zeros({1, 3, 6, 8}), at::zeros({1, 1, 8, 8}), at::zeros({3, 8, 8})}) {
    EXPECT_THAT(error_of([&] { vq_encode(c.config, weights, images, ""); }),
                HasSubstr("multiples of 4"));
  }
}

}  // namespace
}  // namespace kvscope
