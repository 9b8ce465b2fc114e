// Numbers that follow from the published configurations, without a checkpoint.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/engine/plan.h"
#include "core/models/infinity/codes.h"
#include "core/models/infinity/config.h"
#include "core/models/infinity/rope.h"
#include "core/models/infinity/vae.h"
#include "core/models/infinity/weights.h"

namespace kvscope::infinity {
namespace {

int64_t parameters(const std::string& name) {
  return parameter_count(transformer_tensors(published_transformer(name)));
}

TEST(InfinityParameters, AreThePublishedCounts) {
  EXPECT_EQ(parameters("infinity_layer12"), 125'148'800);
  EXPECT_EQ(parameters("infinity_layer16"), 361'633'792);
  EXPECT_EQ(parameters("infinity_layer24"), 940'944'832);
  EXPECT_EQ(parameters("infinity_layer32"), 2'256'694'912);
  EXPECT_EQ(parameters("infinity_layer40"), 4'716'421'888);
  EXPECT_EQ(parameters("infinity_layer48"), 8'767'198'528);
  EXPECT_EQ(parameters("infinity_2b"), 2'204'564'032);
  EXPECT_EQ(parameters("infinity_8b"), 8'375'791'824);
}

TEST(InfinityParameters, OfOneBlock) {
  for (const auto& [name, expected] :
       {std::pair<std::string, int64_t>{"infinity_2b", 67'147'792}, {"infinity_8b", 205'589'020}}) {
    TransformerConfig one = published_transformer(name);
    TransformerConfig two = one;
    one.depth = one.chunks = 1;
    two.depth = two.chunks = 2;
    EXPECT_EQ(parameter_count(transformer_tensors(two)) - parameter_count(transformer_tensors(one)),
              expected);
  }
}

TEST(InfinityParameters, OfTheImageDecoder) {
  const auto decoder = [](int64_t bits, bool patchify) {
    return parameter_count(vae_decoder_tensors(published_vae(bits, patchify)));
  };
  const auto encoder = [](int64_t bits, bool patchify) {
    return parameter_count(vae_encoder_tensors(published_vae(bits, patchify)));
  };
  EXPECT_EQ(decoder(32, false), 65'092'355);
  EXPECT_EQ(decoder(32, false) + encoder(32, false), 110'118'051);
  EXPECT_EQ(decoder(14, true), 48'484'611);
  EXPECT_EQ(decoder(14, true) + encoder(14, true), 81'624'209);
}

TEST(InfinityNames, ComeInThePublishedOrder) {
  const auto specs = transformer_tensors(published_transformer("infinity_2b"));
  EXPECT_EQ(specs.front().name, "cfg_uncond");
  EXPECT_EQ(specs[21].name, "head.bias");
  EXPECT_EQ(specs[22].name, "block_chunks.0.module.0.ada_gss");
  EXPECT_EQ(specs.back().name, "block_chunks.7.module.3.ca_norm.bias");
}

std::vector<int64_t> positions(int64_t size, int64_t grid) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < size; ++i) result.push_back(rope_position(i, size, grid));
  return result;
}

TEST(InfinityRope, PositionsAreThePublishedOnes) {
  using List = std::vector<int64_t>;
  EXPECT_EQ(positions(6, 64), (List{0, 11, 21, 32, 43, 53}));
  EXPECT_EQ(positions(12, 64), (List{0, 5, 11, 16, 21, 27, 32, 37, 43, 48, 53, 59}));
  EXPECT_EQ(positions(20, 64),
            (List{0, 3, 6, 10, 13, 16, 19, 22, 26, 29, 32, 35, 38, 42, 45, 48, 51, 54, 58, 61}));
  EXPECT_EQ(positions(24, 64), (List{0,  3,  5,  8,  11, 13, 16, 19, 21, 24, 27, 29,
                                     32, 35, 37, 40, 43, 45, 48, 51, 53, 56, 59, 61}));
  EXPECT_EQ(positions(64, 64).back(), 63);
}

TEST(InfinityRope, ExactHalvesGoToEvenAcrossAllRatios) {
  int64_t halves = 0;
  for (const double ratio : published_ratios()) {
    const ImageGeometry image = published_geometry(ratio, "1M");
    for (const auto& [height, width] : image.schedule) {
      for (const auto& [size, grid] :
           {std::pair{height, image.rope_grid.first}, std::pair{width, image.rope_grid.second}}) {
        for (int64_t i = 0; i < size; ++i) {
          const bool half = (2 * i * grid) % size == 0 && ((2 * i * grid) / size) % 2 != 0;
          if (half) ++halves;
          // As the reference computes it, in fp32.
          const float exact =
              static_cast<float>(i) * (static_cast<float>(grid) / static_cast<float>(size));
          EXPECT_LE(std::abs(static_cast<double>(rope_position(i, size, grid)) - exact), 0.5001);
          if (half) {
            EXPECT_EQ(rope_position(i, size, grid) % 2, 0);
          }
        }
      }
    }
  }
  EXPECT_EQ(halves, 516);
}

TEST(InfinityRope, TurnsInterleavedPairsByYThenX) {
  TransformerConfig config = published_transformer("infinity_2b");
  config.width = 24;
  config.heads = 2;  // head_dim 12: 3 frequencies an axis
  const ImageGeometry image{{{2, 3}}, {2, 3}};
  const Rotation rotation = scale_rotation(config, image, 0);
  const at::Tensor x = at::randn({1, 1, 6, 12}, at::kDouble).to(at::kFloat);
  const at::Tensor turned = rotate(x, rotation);
  for (int64_t token = 0; token < 6; ++token) {
    for (int64_t pair = 0; pair < 6; ++pair) {
      const double position = static_cast<double>(pair < 3 ? token / 3 : token % 3);
      const double angle = position * std::pow(10000.0, -2.0 * static_cast<double>(pair % 3) / 6);
      const double even = x[0][0][token][2 * pair].item<double>();
      const double odd = x[0][0][token][2 * pair + 1].item<double>();
      EXPECT_NEAR(turned[0][0][token][2 * pair].item<double>(),
                  std::cos(angle) * even - std::sin(angle) * odd, 1e-6);
      EXPECT_NEAR(turned[0][0][token][2 * pair + 1].item<double>(),
                  std::sin(angle) * even + std::cos(angle) * odd, 1e-6);
    }
  }
}

TEST(InfinityCodes, HaveThePublishedMagnitudes) {
  const std::vector<std::pair<int64_t, float>> magnitudes = {{14, 0.267261266708374F},
                                                             {16, 0.25F},
                                                             {24, 0.20412415266036987F},
                                                             {32, 0.1767767071723938F},
                                                             {64, 0.125F}};
  for (const auto& [bits, magnitude] : magnitudes) {
    at::Tensor raw = at::zeros({1, 3, 5, bits}, at::kByte);
    raw.slice(3, 0, {}, 3).fill_(1);
    const at::Tensor codes = bits_to_codes(raw);
    ASSERT_EQ(codes.sizes(), (std::vector<int64_t>{1, bits, 3, 5}));
    for (int64_t bit = 0; bit < bits; ++bit) {
      const float expected = bit % 3 == 0 ? magnitude : -magnitude;
      EXPECT_TRUE((codes.select(1, bit) == expected).all().item<bool>()) << bits << " " << bit;
    }
  }
}

TEST(InfinityCodes, PatchesGoBackAndForthInPublishedOrder) {
  const at::Tensor token_bits = at::arange(2 * 3 * 8).view({1, 2, 3, 8});
  const at::Tensor latent = unpatch_bits(token_bits);
  for (int64_t k = 0; k < 8; ++k) {
    const int64_t dy = (k % 4) / 2;
    const int64_t dx = k % 2;
    EXPECT_EQ(latent[0][2 * 1 + dy][2 * 2 + dx][k / 4].item<int64_t>(),
              token_bits[0][1][2][k].item<int64_t>());
  }
  EXPECT_TRUE(at::equal(patch_bits(latent), token_bits));
}

TEST(InfinitySchedules, AreSixtyDistinctOnesWithThePublishedTotals) {
  std::vector<Schedule> seen;
  for (const double ratio : published_ratios()) {
    for (const char* pixels : {"0.06M", "0.25M", "0.60M", "1M"}) {
      const Schedule schedule = published_geometry(ratio, pixels).schedule;
      EXPECT_EQ(std::count(seen.begin(), seen.end(), schedule), 0);
      seen.push_back(schedule);
    }
  }
  EXPECT_EQ(seen.size(), 60U);
  const auto total = [](double ratio, const std::string& pixels) {
    int64_t tokens = 0;
    for (const auto& [height, width] : published_geometry(ratio, pixels).schedule) {
      tokens += height * width;
    }
    return tokens;
  };
  EXPECT_EQ(total(1.0, "0.06M"), 521);
  EXPECT_EQ(total(1.0, "0.25M"), 2521);
  EXPECT_EQ(total(1.0, "0.60M"), 6425);
  EXPECT_EQ(total(1.0, "1M"), 10521);
  const std::vector<std::pair<double, int64_t>> totals = {
      {1.25, 10774}, {1.333, 10973}, {1.5, 10997},   {1.75, 11252}, {2.0, 11269},
      {2.5, 10805},  {3.0, 11123},   {0.333, 11123}, {0.8, 10774},  {0.571, 11252}};
  for (const auto& [ratio, tokens] : totals) EXPECT_EQ(total(ratio, "1M"), tokens) << ratio;
  EXPECT_EQ(published_geometry(0.571, "1M").rope_grid, (std::pair<int64_t, int64_t>{48, 84}));
  EXPECT_EQ(published_geometry(0.571, "0.06M").rope_grid, (std::pair<int64_t, int64_t>{48, 84}));
  EXPECT_THROW((void)published_geometry(1.0, "2M"), Error);
}

// batch * 2 (guidance) * tokens * layers * C * (4 bytes of K + 2 of V), the papers' accounting.
TEST(InfinityCache, HasThePapersBytes) {
  const auto mebibytes = [](const std::string& name, int64_t rows) {
    const Plan plan = full_plan(cache_geometry(
        published_transformer(name).attention(),
        next_scale_steps(published_geometry(1.0, "1M").schedule), {.value = at::kBFloat16}));
    return static_cast<double>(plan.live_bytes(12, rows)) / (1 << 20);
  };
  EXPECT_EQ(mebibytes("infinity_2b", 16), 38550.0);
  EXPECT_NEAR(mebibytes("infinity_8b", 16), 84328.1, 0.05);
  EXPECT_NEAR(mebibytes("infinity_8b", 2), 10541.0, 0.05);
}

}  // namespace
}  // namespace kvscope::infinity
