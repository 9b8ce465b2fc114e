#include "core/text/t5_encoder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(kSourceDir) / "tests/golden/t5_encoder_tiny.safetensors";

T5Config tiny() {
  return {.d_model = 64, .layers = 3, .heads = 4, .d_kv = 16, .d_ff = 128, .vocabulary = 640};
}

TEST(T5Encoder, MatchesTheRecordedStatesWhereTheMaskIsOne) {
  const TensorMap golden = read_safetensors(kGolden);
  const at::Tensor mask = golden.at("attention_mask");
  const at::Tensor ids = golden.at("input_ids").to(at::kLong);
  const at::Tensor states = t5_encode(tiny(), golden, ids, mask, "t5.");
  const at::Tensor error = (states - golden.at("last_hidden_state")).abs() * mask.unsqueeze(-1);
  EXPECT_LE(error.max().item<float>(), 1e-4);
}

TEST(T5Encoder, PaddingDoesNotReachRealTokens) {
  const TensorMap golden = read_safetensors(kGolden);
  const at::Tensor mask = golden.at("attention_mask");
  for (int64_t row = 0; row < 4; ++row) {
    const int64_t length = mask[row].sum().item<int64_t>();
    const at::Tensor ids = golden.at("input_ids")[row].slice(0, 0, length).to(at::kLong);
    const at::Tensor alone =
        t5_encode(tiny(), golden.below("t5."), ids.unsqueeze(0), at::ones({1, length}));
    const at::Tensor recorded = golden.at("last_hidden_state")[row].slice(0, 0, length);
    EXPECT_LE((alone[0] - recorded).abs().max().item<float>(), 1e-4) << row;
  }
}

TEST(T5Encoder, BucketsAreExactNearbyAndLogarithmicBeyond) {
  // By the definition in exact arithmetic, away from the powers where rounding decides.
  const auto bucket = [](int64_t offset) { return t5_relative_bucket(offset, 32, 128); };
  for (int64_t distance = 0; distance < 8; ++distance) {
    EXPECT_EQ(bucket(-distance), distance);
    if (distance > 0) {
      EXPECT_EQ(bucket(distance), 16 + distance);
    }
  }
  EXPECT_EQ(bucket(-8), 8);
  EXPECT_EQ(bucket(-11), 8);
  EXPECT_EQ(bucket(-12), 9);
  EXPECT_EQ(bucket(-90), 14);
  EXPECT_EQ(bucket(-91), 15);
  EXPECT_EQ(bucket(-5000), 15);
  EXPECT_EQ(bucket(5000), 31);
}

TEST(T5Encoder, GradientsReachEveryWeight) {
  const TensorMap golden = read_safetensors(kGolden);
  TensorMap leaves;
  for (const auto& [name, tensor] : golden.below("t5.")) {
    leaves.set(name, tensor.clone().requires_grad_(true));
  }
  const at::Tensor ids = golden.at("input_ids").slice(0, 1, 2).slice(1, 0, 15).to(at::kLong);
  t5_encode(tiny(), leaves, ids, at::ones({1, 15})).square().mean().backward();
  for (const auto& [name, leaf] : leaves) {
    ASSERT_TRUE(leaf.grad().defined()) << name;
    EXPECT_GT(leaf.grad().abs().max().item<float>(), 0) << name;
  }
}

TEST(T5Encoder, NamesMissingAndMisshapenWeightsAndForeignIds) {
  const TensorMap weights = read_safetensors(kGolden).below("t5.");
  const at::Tensor ids = at::ones({1, 2}, at::kLong);
  const auto message = [&](const T5Config& config, const at::Tensor& tokens) -> std::string {
    try {
      t5_encode(config, weights, tokens, at::ones_like(tokens));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  T5Config deeper = tiny();
  deeper.layers = 4;
  EXPECT_THAT(message(deeper, ids), testing::HasSubstr("encoder.block.3."));
  T5Config wider = tiny();
  wider.d_ff = 256;
  EXPECT_THAT(message(wider, ids), testing::HasSubstr("wi_0.weight"));
  EXPECT_THAT(message(tiny(), ids * 640), testing::HasSubstr("640 entries"));
  EXPECT_THAT(message(tiny(), -ids), testing::HasSubstr("-1"));
}

}  // namespace
}  // namespace kvscope
