// Every policy with every store, and what each store costs and loses.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "test_paths.h"
#include "tests/policies/policy_run.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

constexpr const char* kStores[] = {
    "{name: bf16}", "{name: int8}", "{name: kivi, bits: 4, group_tokens: 8, residual_tokens: 8}",
    "{name: kivi, group_tokens: 16, group_channels: 5, residual_tokens: 32}"};

ConfigNode with_store(const std::string& policy, const std::string& store) {
  ConfigNode node = named_policy(kPolicyFolder, policy);
  node.set("store", yaml(store));
  return node;
}

CacheGeometry next_scale() {
  return {.layers = 2,
          .heads = 3,
          .head_dim = 12,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {4, 4}, {6, 6}, {9, 9}, {11, 11}, {12, 12}})};
}

CacheGeometry next_token() {
  return {
      .layers = 2, .heads = 2, .head_dim = 16, .steps = next_token_steps(7, 45), .line_tokens = 9};
}

TEST(Stores, EveryPolicyWithEveryStore) {
  int runs = 0;
  for (const std::string& name : policy_names(kPolicyFolder)) {
    for (const char* store : kStores) {
      for (const CacheGeometry& geometry : {next_scale(), next_token()}) {
        SCOPED_TRACE(fmt::format("{} with {}", name, store));
        const auto policy = make_policy(with_store(name, store));
        const auto plain = make_policy(with_store(name, "as_is"));
        Plan plan;
        try {
          plan = policy->plan(geometry, Budget::of_ratio(0.5));
        } catch (const Error& error) {
          ASSERT_EQ(error.kind(), ErrorKind::kConfig) << error.what();
          continue;  // a budget that is impossible for the policy is so for every store
        }
        const Plan plain_plan = plain->plan(geometry, Budget::of_ratio(0.5));
        const auto last = static_cast<int64_t>(geometry.steps.size()) - 1;
        EXPECT_EQ(plan.live_tokens(last), plain_plan.live_tokens(last)) << "a budget is in tokens";
        EXPECT_LE(plan.live_bytes(last, 3), plain_plan.live_bytes(last, 3));
        // Audited after every step: tokens, live and allocated bytes are the plan's.
        EXPECT_FALSE(run_policy(*policy, plan, {2, 0, 1}).empty());
        ++runs;
      }
    }
  }
  EXPECT_GT(runs, 8);
}

/// What queries see at every step of a generation.
at::Tensor outputs(const std::string& store, const CacheGeometry& geometry) {
  const auto policy = make_policy(with_store("full", store));
  KvCache cache(policy->plan(geometry, Budget::of_ratio(1.0)), 2, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy.get()};
  policy->begin_generation(2);
  std::vector<at::Tensor> outs;
  for (const StepInfo& step : geometry.steps) {
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      const LayerInputs in = layer_inputs(geometry, step, layer, {0, 1});
      outs.push_back(attend(context, in.at(step, layer, 0.3)));
    }
  }
  return at::cat(outs, 2);
}

TEST(Stores, FewerBitsLoseMore) {
  for (const CacheGeometry& geometry : {next_scale(), next_token()}) {
    if (geometry.heads != 3) continue;
    const at::Tensor exact = outputs("as_is", geometry);
    const auto error = [&](const std::string& store) {
      return (outputs(store, geometry) - exact).abs().mean().item<double>();
    };
    const double eight = error("{name: int8}");
    const double half = error("{name: bf16}");
    const double kivi8 = error("{name: kivi, bits: 8}");
    const double kivi4 = error("{name: kivi, bits: 4}");
    const double kivi2 = error("{name: kivi, bits: 2}");
    EXPECT_GT(half, 0.0);
    EXPECT_LT(half, 0.01);
    EXPECT_LT(eight, 0.01);
    EXPECT_GT(kivi8, 0.0);
    EXPECT_LT(kivi8 * 4, kivi4);
    EXPECT_LT(kivi4 * 2, kivi2);
    EXPECT_LT(kivi2, 0.5);
  }
}

TEST(Stores, ARowDoesNotDependOnItsBatch) {
  const CacheGeometry geometry = next_scale();
  for (const char* store : kStores) {
    const auto policy = make_policy(with_store("snapkv", store));
    const Plan plan = policy->plan(geometry, Budget::of_ratio(0.5));
    const auto batch = run_policy(*policy, plan, {2, 0, 1});
    const auto alone = run_policy(*policy, plan, {0});
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(alone[i].kept.has_value(), batch[i].kept.has_value());
      if (!alone[i].kept) continue;
      const auto begin = batch[i].kept->begin() + geometry.heads;
      EXPECT_EQ(*alone[i].kept, KeptIndices(begin, begin + geometry.heads)) << store;
    }
  }
}

TEST(Stores, BytesOfKiviAndInt8) {
  const CacheGeometry geometry = next_scale();  // 259 tokens go into the last step
  const auto bytes = [&](const std::string& store) {
    return make_plan(geometry, with_store("full", store), Budget::of_ratio(1.0)).live_bytes(6, 1);
  };
  EXPECT_EQ(bytes("as_is"), 2 * 3 * 259 * 12 * 8);
  EXPECT_EQ(bytes("bf16"), 2 * 3 * 259 * 12 * 4);
  EXPECT_EQ(bytes("int8"), 2 * 3 * 259 * 2 * (12 + 8));
  // 256 keys in 8 groups of 12 channels: 8 bytes of codes, 8 of scale and minimum; 3 in full.
  // 227 values of one word, and 8 of scale and minimum, as 12 channels are one group; 32 in full.
  EXPECT_EQ(bytes("kivi"), 2 * 3 * ((8 * 12 * 16 + 3 * 12 * 4) + (227 * (4 + 8) + 32 * 12 * 4)));
}

TEST(Stores, ImpossibleOptionsAreNamed) {
  const auto message = [](const std::string& store) -> std::string {
    try {
      make_policy(with_store("full", store));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message("{name: kivi, bits: 3}"), HasSubstr("3 bits, expected 2, 4 or 8"));
  EXPECT_THAT(message("{name: kivi, residual_tokens: 40}"),
              HasSubstr("policy.store.residual_tokens"));
  EXPECT_THAT(message("{name: kivi, residual_tokens: 40}"), HasSubstr("nearest: 32"));
  EXPECT_THAT(message("{name: kivi, group: 40}"), HasSubstr("group"));
  EXPECT_THAT(message("{name: int4}"), HasSubstr("int8"));
  EXPECT_EQ(message("{name: kivi, bits: 4, residual_tokens: 128}"), "accepted");
}

}  // namespace
}  // namespace kvscope
