#include "core/text/captions/t5_encoder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "core/text/captions/t5_tensors.h"
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

// The published files come in shards, with a decoder and an output head that an encoder ignores.
TEST(T5Encoder, ReadsAShardedCheckpoint) {
  const TensorMap golden = read_safetensors(kGolden);
  const TensorMap shards =
      read_checkpoint(std::filesystem::path(kSourceDir) / "tests/golden/t5_tiny_sharded");
  const at::Tensor mask = golden.at("attention_mask");
  const at::Tensor states = t5_encode(tiny(), shards, golden.at("input_ids").to(at::kLong), mask);
  const at::Tensor error = (states - golden.at("last_hidden_state")).abs() * mask.unsqueeze(-1);
  EXPECT_LE(error.max().item<float>(), 1e-4);
}

// Encoders run on captions padded to 120 (LlamaGen) or 512 (Infinity) tokens.
TEST(T5Encoder, PaddedLengthsGiveTheSameStates) {
  const TensorMap golden = read_safetensors(kGolden);
  const at::Tensor recorded = golden.at("last_hidden_state")[3].slice(0, 0, 22);
  for (const int64_t padded : {120, 512}) {
    at::Tensor ids = at::zeros({1, padded}, at::kLong);
    at::Tensor mask = at::zeros({1, padded}, at::kLong);
    ids[0].slice(0, 0, 22).copy_(golden.at("input_ids")[3].slice(0, 0, 22));
    mask[0].slice(0, 0, 22).fill_(1);
    const at::Tensor states = t5_encode(tiny(), golden.below("t5."), ids, mask);
    EXPECT_LE((states[0].slice(0, 0, 22) - recorded).abs().max().item<float>(), 1e-4) << padded;
  }
}

TEST(T5Encoder, HalfPrecisionWeightsGiveNearlyTheSame) {
  const TensorMap golden = read_safetensors(kGolden);
  const at::Tensor ids = golden.at("input_ids").slice(0, 1, 2).slice(1, 0, 15).to(at::kLong);
  const at::Tensor mask = at::ones({1, 15}, at::kLong);
  const at::Tensor exact = t5_encode(tiny(), golden.below("t5."), ids, mask);
  const double scale = exact.abs().max().item<double>();
  for (const auto& [dtype, tolerance] : {std::pair{at::kBFloat16, 0.06}, {at::kHalf, 0.01}}) {
    TensorMap narrow;
    for (const auto& [name, tensor] : golden.below("t5.")) narrow.set(name, tensor.to(dtype));
    const at::Tensor states = t5_encode(tiny(), narrow, ids, mask).to(at::kFloat);
    EXPECT_LE((states - exact).abs().max().item<double>(), tolerance * scale) << dtype;
  }
}

TEST(T5Encoder, LargeFeedForwardsStayFiniteInFp16) {
  const TensorMap golden = read_safetensors(kGolden);
  TensorMap narrow;
  for (const auto& [name, tensor] : golden.below("t5.")) {
    const bool output = name.find("DenseReluDense.wo") != name.npos;
    narrow.set(name, (output ? tensor / tensor.abs().max() * 60'000 : tensor).to(at::kHalf));
  }
  const at::Tensor ids = golden.at("input_ids").slice(1, 0, 22).to(at::kLong);
  const at::Tensor states = t5_encode(tiny(), narrow, ids, at::ones_like(ids));
  EXPECT_TRUE(states.isfinite().all().item<bool>());
}

TEST(T5Encoder, PublishedSizes) {
  // Parameters of the encoders as published, embedding included.
  const std::vector<std::pair<std::string, int64_t>> sizes = {
      {"flan_t5_small", 35'332'800},  {"flan_t5_base", 109'628'544},
      {"flan_t5_large", 341'231'104}, {"flan_t5_xl", 1'223'527'424},
      {"flan_t5_xxl", 4'762'310'656}, {"t5_v1_1_xxl", 4'762'310'656}};
  for (const auto& [name, parameters] : sizes) {
    int64_t sum = 0;
    for (const auto& [tensor, shape] : t5_tensors(published_t5(name)))
      sum += c10::multiply_integers(shape);
    EXPECT_EQ(sum, parameters) << name;
  }
  EXPECT_THROW((void)published_t5("flan_t5_xlarge"), Error);
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
