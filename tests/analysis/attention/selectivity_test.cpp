#include "analysis/attention/selectivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/attention/attention_axes.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

/// The two arrays that the index is made of, all 0.
void add_arrays(AttentionRecord& record) {
  const std::vector<ArrayAxis> axes = {layer_axis(record.layers), head_axis(record.heads),
                                       step_axis(record.steps)};
  record.arrays["mass.history_top"] = NamedArray::zeros(axes);
  record.arrays["mass.step"] =
      NamedArray::zeros({axes[0], axes[1], axes[2], on_step_axis(record.steps)});
}

template <class... Index>
void set(AttentionRecord& record, const char* name, double value, Index... along) {
  NamedArray& array = record.arrays.at(name);
  array.values[array.index(along...)] = value;
}

/// Two heads, three scales; layer l's head h looks at the current scale with `current` and at its
/// top keys with `top`.
AttentionRecord record_of(const std::vector<std::vector<double>>& current,
                          const std::vector<std::vector<double>>& top) {
  AttentionRecord record;
  record.steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}});
  record.layers = static_cast<int64_t>(current.size());
  record.heads = 2;
  record.images = 1;
  add_arrays(record);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < 2; ++head) {
      for (int64_t step = 0; step < 3; ++step) {
        const double shift = head == 0 ? 0.1 : -0.1;  // the mean over heads is what counts
        set(record, "mass.step", current[layer][step] + shift, layer, head, step, step);
        set(record, "mass.history_top", top[layer][step] - shift, layer, head, step);
      }
    }
  }
  return record;
}

const std::vector<std::vector<double>> kCurrent = {{1, .5, .2}, {1, .9, .3}, {1, .1, .4}};
const std::vector<std::vector<double>> kTop = {{0, .4, .3}, {0, .1, .5}, {0, .2, .6}};

TEST(AttentionSelectivity, ProductOfTheTwoMeans) {
  const std::vector<double> asi = attention_selectivity(record_of(kCurrent, kTop));
  ASSERT_EQ(asi.size(), 9);
  for (int64_t layer = 0; layer < 3; ++layer) {
    EXPECT_TRUE(std::isnan(asi[layer * 3])) << "the first scale has no history";
    for (int64_t step = 1; step < 3; ++step) {
      EXPECT_NEAR(asi[layer * 3 + step], kCurrent[layer][step] * kTop[layer][step], 1e-12);
    }
  }
}

TEST(LayerRoles, LowestScoresWithinTheirScaleAreDrafters) {
  const AttentionRecord record = record_of(kCurrent, kTop);
  const LayerRoles roles = layer_roles(record, 2);
  // Scale 1: 0.20, 0.09, 0.02; scale 2: 0.06, 0.15, 0.24. By hand:
  const double deviation1 = std::sqrt(
      (std::pow(.2 - .31 / 3, 2) + std::pow(.09 - .31 / 3, 2) + std::pow(.02 - .31 / 3, 2)) / 3);
  EXPECT_NEAR(roles.z_score[1], (.2 - .31 / 3) / deviation1, 1e-5);
  EXPECT_NEAR(roles.z_score[2], -std::sqrt(1.5), 1e-5);
  const auto n = LayerRole::kNone;
  const auto d = LayerRole::kDrafter;
  const auto r = LayerRole::kRefiner;
  EXPECT_EQ(roles.role, (std::vector<LayerRole>{n, r, d, n, r, r, n, d, r}));
  EXPECT_EQ(default_drafters(6), 1) << "never none";
  EXPECT_EQ(layer_roles(record).drafters, 1);
  EXPECT_EQ(layer_roles(record, 0).role, (std::vector<LayerRole>{n, r, r, n, r, r, n, r, r}));
  EXPECT_THROW(layer_roles(record, 7), Error);
}

TEST(Selectivity, ItsFactorsAloneMultiplyToIt) {
  const AttentionRecord record = record_of(kCurrent, kTop);
  const std::vector<double> both = attention_selectivity(record);
  const std::vector<double> current = attention_selectivity(record, SelectivityFactors::kCurrent);
  const std::vector<double> history = attention_selectivity(record, SelectivityFactors::kHistory);
  for (const size_t pair : {1, 2, 4, 5, 7, 8}) {
    EXPECT_NEAR(current[pair] * history[pair], both[pair], 1e-12);
    EXPECT_NEAR(history[pair], kTop[pair / 3][pair % 3], 1e-12);
  }
}

TEST(LayerRoles, GroupsWithoutADrafterAreNamedWithTheNumberThatLeavesNone) {
  const AttentionRecord record = record_of(kCurrent, kTop);
  const LayerRoles one = layer_roles(record, 1);
  EXPECT_EQ(groups_without_drafter(one), (std::vector<StepGroup>{{1, 1}}));
  EXPECT_EQ(drafters_for_every_group(one), 2);
  EXPECT_TRUE(groups_without_drafter(layer_roles(record, 2)).empty());
  EXPECT_EQ(groups_without_drafter(layer_roles(record, 0)).size(), 2u) << "not the first scale";
}

TEST(LayerRoles, EqualLayersHaveScoreZero) {
  const LayerRoles roles =
      layer_roles(record_of({{1, .5, .2}, {1, .5, .2}}, {{0, .4, .3}, {0, .4, .3}}), 1);
  for (const size_t pair : {1, 2, 4, 5}) EXPECT_NEAR(roles.z_score[pair], 0, 1e-6);
}

TEST(LayerRoles, ALineOfANextTokenModelIsOneScale) {
  // A prompt of 3, 5 image tokens of which the last is never fed, lines of 2.
  AttentionRecord record;
  record.steps = next_token_steps(3, 5);
  record.layers = 2;
  record.heads = 1;
  record.images = 1;
  add_arrays(record);
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t step = 0; step < 5; ++step) {
      set(record, "mass.step", 0.5, layer, 0, step, step);
      set(record, "mass.history_top", layer == 0 ? 0.1 * static_cast<double>(step) : 0.3, layer, 0,
          step);
    }
  }
  const std::vector<StepGroup> groups = step_groups(record);  // the side of 5 tokens: 2
  EXPECT_EQ(groups, (std::vector<StepGroup>{{0, 0}, {1, 2}, {3, 4}}));
  EXPECT_EQ(step_groups(record, 4), (std::vector<StepGroup>{{0, 0}, {1, 4}}));
  const LayerRoles roles = layer_roles(record, groups, 1);
  EXPECT_TRUE(std::isnan(roles.selectivity[0])) << "the prompt has no history";
  const double expected[] = {0.5 * 0.15, 0.5 * 0.35, 0.5 * 0.3, 0.5 * 0.3};
  EXPECT_NEAR(roles.selectivity[1], expected[0], 1e-12);
  EXPECT_NEAR(roles.selectivity[2], expected[1], 1e-12);
  EXPECT_NEAR(roles.selectivity[4], expected[2], 1e-12);
  EXPECT_NEAR(roles.selectivity[5], expected[3], 1e-12);
  EXPECT_EQ(roles.role,
            (std::vector<LayerRole>{LayerRole::kNone, LayerRole::kDrafter, LayerRole::kRefiner,
                                    LayerRole::kNone, LayerRole::kRefiner, LayerRole::kRefiner}));
}

}  // namespace
}  // namespace kvscope
