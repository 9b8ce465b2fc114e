#include "core/models/var/vqvae.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace kvscope::var {
namespace {

VqvaeConfig small() {
  VqvaeConfig config;
  config.base_channels = 6;
  config.channel_multipliers = {1, 2, 1};
  config.encoder_blocks = 1;
  config.norm_groups = 3;
  config.codes = 19;
  config.code_width = 5;
  config.phis = 3;
  return config;
}

TensorMap weights_of(const std::vector<WeightSpec>& specs) {
  at::Generator generator = at::detail::createCPUGenerator(3);
  TensorMap tensors = random_vqvae(specs, generator);
  for (const auto& [name, tensor] : tensors) {
    tensor.add_(at::randn(tensor.sizes(), generator), 0.05);
  }
  return tensors;
}

// Keys' cubic convolution kernel with a = -0.75.
double cubic(double x) {
  constexpr double a = -0.75;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// One channel, half-pixel centres, edges repeated.
std::vector<double> naive_bicubic(
    const std::vector<double>& in, int64_t h, int64_t w, int64_t to_h, int64_t to_w) {
  std::vector<double> out;
  for (int64_t y = 0; y < to_h; ++y) {
    for (int64_t x = 0; x < to_w; ++x) {
      const double sy =
          (static_cast<double>(y) + 0.5) * static_cast<double>(h) / static_cast<double>(to_h) - 0.5;
      const double sx =
          (static_cast<double>(x) + 0.5) * static_cast<double>(w) / static_cast<double>(to_w) - 0.5;
      double sum = 0;
      for (int64_t j = -1; j <= 2; ++j) {
        for (int64_t i = -1; i <= 2; ++i) {
          const int64_t py = static_cast<int64_t>(std::floor(sy)) + j;
          const int64_t px = static_cast<int64_t>(std::floor(sx)) + i;
          const double weight =
              cubic(sy - static_cast<double>(py)) * cubic(sx - static_cast<double>(px));
          const int64_t cy = std::clamp<int64_t>(py, 0, h - 1);
          const int64_t cx = std::clamp<int64_t>(px, 0, w - 1);
          sum += weight * in[static_cast<size_t>(cy * w + cx)];
        }
      }
      out.push_back(sum);
    }
  }
  return out;
}

TEST(VarAccumulate, LooksUpEnlargesAndConvolves) {
  const VqvaeConfig config = small();
  const TensorMap weights = weights_of(quantizer_tensors(config));
  const ScaleSchedule schedule = {{1, 1}, {2, 3}, {3, 3}, {5, 4}, {6, 7}};
  const auto scales = static_cast<int64_t>(schedule.size());
  const auto [full_h, full_w] = schedule.back();
  for (int64_t si = 0; si < scales; ++si) {
    const auto [h, w] = schedule[static_cast<size_t>(si)];
    const at::Tensor before =
        at::randn({2, config.code_width, full_h, full_w}, at::detail::createCPUGenerator(5));
    const at::Tensor ids = at::randint(config.codes, {2, h * w}, at::detail::createCPUGenerator(7),
                                       at::TensorOptions().dtype(at::kLong));
    const at::Tensor after = accumulate(config, weights, before, ids, schedule, si);

    const int64_t phi = phi_of_scale(si, scales, config.phis);
    const std::string name = "quantize.quant_resi.qresi_ls." + std::to_string(phi);
    const at::Tensor kernel = weights.at(name + ".weight").to(at::kDouble);
    const at::Tensor bias = weights.at(name + ".bias").to(at::kDouble);
    for (int64_t image = 0; image < 2; ++image) {
      at::Tensor enlarged = at::zeros({config.code_width, full_h, full_w}, at::kDouble);
      for (int64_t c = 0; c < config.code_width; ++c) {
        std::vector<double> plane;
        for (int64_t token = 0; token < h * w; ++token) {
          const int64_t id = ids[image][token].item<int64_t>();
          plane.push_back(weights.at("quantize.embedding.weight")[id][c].item<double>());
        }
        const std::vector<double> big = naive_bicubic(plane, h, w, full_h, full_w);
        for (int64_t pixel = 0; pixel < full_h * full_w; ++pixel) {
          enlarged[c][pixel / full_w][pixel % full_w] = big[static_cast<size_t>(pixel)];
        }
      }
      for (int64_t c = 0; c < config.code_width; ++c) {
        for (int64_t y = 0; y < full_h; ++y) {
          for (int64_t x = 0; x < full_w; ++x) {
            double convolved = bias[c].item<double>();
            for (int64_t j = -1; j <= 1; ++j) {
              for (int64_t i = -1; i <= 1; ++i) {
                if (y + j < 0 || y + j >= full_h || x + i < 0 || x + i >= full_w) continue;
                convolved += (kernel[c].select(1, j + 1).select(1, i + 1) *
                              enlarged.select(1, y + j).select(1, x + i))
                                 .sum()
                                 .item<double>();
              }
            }
            const double expected = before[image][c][y][x].item<double>() +
                                    0.5 * enlarged[c][y][x].item<double>() + 0.5 * convolved;
            ASSERT_NEAR(after[image][c][y][x].item<double>(), expected, 1e-5)
                << "scale " << si << ", channel " << c << ", pixel " << y << ", " << x;
          }
        }
      }
    }
  }
}

TEST(VarNextInput, IsTheMeanOfEveryCell) {
  const ScaleSchedule schedule = {{1, 1}, {2, 3}, {4, 5}, {7, 9}};
  const at::Tensor features = at::randn({2, 3, 7, 9}, at::detail::createCPUGenerator(1));
  for (int64_t si = 0; si < 4; ++si) {
    const auto [h, w] = schedule[static_cast<size_t>(si)];
    const at::Tensor input = next_input(features, schedule, si);
    ASSERT_EQ(input.sizes(), at::IntArrayRef({2, h * w, 3}));
    for (int64_t y = 0; y < h; ++y) {
      for (int64_t x = 0; x < w; ++x) {
        const int64_t top = y * 7 / h;
        const int64_t bottom = ((y + 1) * 7 + h - 1) / h;
        const int64_t left = x * 9 / w;
        const int64_t right = ((x + 1) * 9 + w - 1) / w;
        const at::Tensor mean = features.slice(2, top, bottom)
                                    .slice(3, left, right)
                                    .to(at::kDouble)
                                    .mean(at::IntArrayRef({2, 3}));
        EXPECT_LE((input.select(1, y * w + x) - mean).abs().max().item<double>(), 1e-6);
      }
    }
  }
}

TEST(VqvaeDecode, AImageIsWhatItIsAlone) {
  const VqvaeConfig config = small();
  const TensorMap weights = weights_of(decoder_tensors(config));
  const at::Tensor features = at::randn({3, 5, 4, 7}, at::detail::createCPUGenerator(2));
  const at::Tensor images = vqvae_decode(config, weights, features);
  ASSERT_EQ(images.sizes(), at::IntArrayRef({3, 3, 16, 28}));
  EXPECT_TRUE(at::equal(vqvae_decode(config, weights, features.narrow(0, 1, 1))[0], images[1]));
  EXPECT_GT((images[0] - images[1]).abs().max().item<double>(), 1e-3);
}

TEST(VqvaeWeights, WhatIsMissingOrMisshapenIsListed) {
  const VqvaeConfig config = small();
  const std::vector<WeightSpec> specs = decoder_tensors(config);
  TensorMap whole;
  for (const auto& [name, tensor] : weights_of(specs)) {
    if (name == "decoder.mid.attn_1.qkv.bias") continue;
    whole.set("vae." + name, name == "decoder.conv_out.weight" ? tensor.slice(0, 1) : tensor);
  }
  try {
    resolve_vqvae(specs, whole, "vae.");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("missing 'vae.decoder.mid.attn_1.qkv.bias' [18]"),
                               testing::HasSubstr("'vae.decoder.conv_out.weight' has shape [2,"),
                               testing::HasSubstr("expected [3,")));
  }
}

}  // namespace
}  // namespace kvscope::var
