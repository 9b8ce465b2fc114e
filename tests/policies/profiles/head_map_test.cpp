// Tables of heads, and the shipped ones.
#include "policies/profiles/head_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policies/registry.h"
#include "policies/shares/two_kinds.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

CacheGeometry janus(int64_t layers, int64_t heads, int64_t head_dim = 128) {
  return {.layers = layers,
          .heads = heads,
          .head_dim = head_dim,
          .steps = next_token_steps(64, 576),
          .line_tokens = 24};
}

int64_t semantic_heads(const Plan& plan) {
  int64_t count = 0;
  for (int64_t layer = 0; layer < plan.geometry().layers; ++layer) {
    for (int64_t head = 0; head < plan.geometry().heads; ++head) {
      count += plan.head_type(layer, head) == 0 ? 1 : 0;
    }
  }
  return count;
}

TEST(HeadMap, TheShippedMapsAreFoundByTheModelsShape) {
  const auto ssd = make_policy(named_policy(kPolicyFolder, "ssd"));
  // Appendix A counts 184 and 593 before rounding to two digits.
  EXPECT_NEAR(static_cast<double>(semantic_heads(ssd->plan(janus(24, 16), Budget::of_tokens(137)))),
              184, 2);
  EXPECT_NEAR(static_cast<double>(semantic_heads(ssd->plan(janus(30, 32), Budget::of_tokens(137)))),
              593, 8);
  // A model cut short has the first layers; layer 1 of the 1B model is almost entirely spatial.
  const Plan two = ssd->plan(janus(2, 16), Budget::of_tokens(137));
  EXPECT_EQ(two.head_type(1, 0), 1);
  EXPECT_EQ(two.head_type(1, 4), 0);
  // Another width is another model.
  EXPECT_EQ(semantic_heads(ssd->plan(janus(24, 16, 64), Budget::of_tokens(137))), 24 * 16);
}

TEST(HeadMap, TheEmbeddedNextScaleModelHasVariances) {
  const auto hack = make_policy(named_policy(kPolicyFolder, "hack"));
  CacheGeometry geometry{.layers = 6,
                         .heads = 6,
                         .head_dim = 32,
                         .steps = next_scale_steps({{1, 1}, {4, 4}, {8, 8}, {16, 16}})};
  EXPECT_EQ(semantic_heads(hack->plan(geometry, Budget::of_tokens(30))), 18);
  geometry.steps = next_token_steps(20, 256);
  EXPECT_EQ(semantic_heads(hack->plan(geometry, Budget::of_tokens(30))), 36);
}

// An embedded model's profile changes what heads or layers hold; another model of the same policy
// has none and treats them alike, but for DuoAttention, which then takes heads evenly.
struct Profile {
  std::string policy;
  bool next_token;
};

class ShippedProfile : public testing::TestWithParam<Profile> {};

TEST_P(ShippedProfile, IsFoundByTheModelsShape) {
  const auto& [name, next_token] = GetParam();
  CacheGeometry geometry{.layers = 6,
                         .heads = 6,
                         .head_dim = 32,
                         .steps = next_token
                                      ? next_token_steps(20, 256)
                                      : next_scale_steps({{1, 1}, {4, 4}, {8, 8}, {16, 16}})};
  const auto policy = make_policy(named_policy(kPolicyFolder, name));
  const auto kept = [&] {
    const Plan plan = policy->plan(geometry, Budget::of_tokens(40));
    const int64_t last = std::ssize(geometry.steps) - 2;
    std::vector<int64_t> tokens;
    for (int64_t layer = 0; layer < 6; ++layer) {
      for (int64_t head = 0; head < 6; ++head) tokens.push_back(plan.kept(last, layer, head));
    }
    return tokens;
  };
  const std::vector<int64_t> profiled = kept();
  geometry.head_dim = 24;
  EXPECT_NE(profiled, kept()) << name;
}

INSTANTIATE_TEST_SUITE_P(Policies,
                         ShippedProfile,
                         testing::Values(Profile{"ssd", true},
                                         Profile{"hack", false},
                                         Profile{"headkv", true},
                                         Profile{"headkv", false},
                                         Profile{"duo_attention", true},
                                         Profile{"duo_attention", false},
                                         Profile{"cake", true},
                                         Profile{"cake", false},
                                         Profile{"scalekv", true},
                                         Profile{"scalekv_paper", true}),
                         [](const auto& profile) {
                           return profile.param.policy +
                                  (profile.param.next_token ? "_next_token" : "_next_scale");
                         });

TEST(HeadMap, APaperPointHasItsBudgets) {
  // M = 192 + 32 recent in semantic heads, 64 in spatial ones: 142 tokens on average with 185 of
  // 384 semantic heads.
  const auto ssd = make_policy(named_policy(kPolicyFolder, "ssd"));
  const Plan plan = ssd->plan(janus(24, 16), Budget::of_tokens(141));
  const auto last = static_cast<int64_t>(plan.geometry().steps.size()) - 1;
  EXPECT_EQ(plan.live_tokens(last), 141 * 24 * 16);
  EXPECT_EQ(plan.kept(last, 1, 0), 64);
  EXPECT_NEAR(static_cast<double>(plan.kept(last, 0, 0)), 192 + 32, 2);
}

TEST(HeadMap, ATableOfAnotherModelIsRefused) {
  const ConfigNode node = load_yaml_text("{allocate: {name: head_type, heads: [[0.1, 0.2]]}}", "t");
  const auto policy = make_policy(node);
  EXPECT_THROW((void)policy->plan(janus(2, 3), Budget::of_tokens(90)), Error);
}

TEST(HeadMap, MapsAreProfilesOfHeads) {
  const auto refusal = [](const std::string& maps) -> std::string {
    try {
      (void)make_policy(load_yaml_text("{allocate: {name: head_type, maps: " + maps + "}}", "t"));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string data = std::string(kSourceDir) + "/configs/data/";
  EXPECT_EQ(refusal("[" + data + "heads/janus_pro_1b.yaml]"), "accepted");
  EXPECT_THAT(refusal("3"), testing::HasSubstr("policy.allocate.maps"));
  EXPECT_THAT(refusal("[" + data + "preferences/shapes_next_scale.yaml]"),
              testing::HasSubstr("kind 'layers'; expected 'heads'"));
  EXPECT_THAT(refusal("[nowhere.yaml]"), testing::HasSubstr("nowhere.yaml"));
}

TEST(TwoKinds, MeetTheBudgetExactly) {
  const HeadTypes types{{1, 0, 1}, {1, 1, 0}, {0, 1, 1}};
  for (const int64_t budget : {1, 3, 7, 8, 20, 31, 40}) {
    const LayerHeadTokens tokens = share_among_kinds(types, budget, 7, 40);
    int64_t total = 0;
    for (std::size_t layer = 0; layer < types.size(); ++layer) {
      for (std::size_t head = 0; head < types.size(); ++head) {
        const int64_t count = tokens[layer][head];
        total += count;
        EXPECT_LE(count, 40);
        if (types[layer][head] == 0) {
          EXPECT_GE(count, budget);
        } else if (budget <= 17) {  // beyond, kind 0 has all it can hold
          EXPECT_EQ(count, std::min<int64_t>(7, budget));
        }
      }
    }
    EXPECT_EQ(total, 9 * budget);
  }
}

TEST(TwoKinds, OneKindAloneHasTheBudget) {
  for (const uint8_t kind : {uint8_t{0}, uint8_t{1}}) {
    const HeadTypes types(2, std::vector<uint8_t>(3, kind));
    EXPECT_EQ(share_among_kinds(types, 11, 5, 30), LayerHeadTokens(2, 3, 11));
  }
}

}  // namespace
}  // namespace kvscope
