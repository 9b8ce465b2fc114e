#include "core/engine/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

CacheGeometry infinity(int64_t layers, int64_t heads) {
  std::vector<std::pair<int64_t, int64_t>> schedule;
  for (const int64_t side : {1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64}) {
    schedule.emplace_back(side, side);
  }
  return {.layers = layers,
          .heads = heads,
          .head_dim = 128,
          .key_type = at::kFloat,
          .value_type = at::kBFloat16,
          .steps = next_scale_steps(schedule)};
}

TEST(Plan, FullCacheOfThePaperTable) {
  const Plan two = full_plan(infinity(32, 16));
  EXPECT_EQ(two.kept(11, 5, 3), 6425);
  EXPECT_EQ(two.kept(12, 5, 3), 6425);
  EXPECT_EQ(static_cast<double>(two.live_bytes(11, 16)) / kMebibyte, 38550.0);
  EXPECT_EQ(two.live_bytes(12, 16), two.live_bytes(11, 16));
  EXPECT_EQ(two.peak_live_bytes(16), two.live_bytes(11, 16));
  EXPECT_EQ(two.arena_bytes(16), two.live_bytes(11, 16));
  const Plan eight = full_plan(infinity(40, 28));
  EXPECT_EQ(static_cast<double>(eight.live_bytes(11, 16)) / kMebibyte, 84328.125);
}

TEST(Plan, CapacityIsTheLargestCountPerHeadAndPeakTheLargestStep) {
  CacheGeometry geometry{.layers = 1, .heads = 2, .head_dim = 10};
  geometry.steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {4, 4}});
  EXPECT_EQ(geometry.token_bytes(), 80);
  const Plan plan(geometry, {{{1, 1}}, {{5, 2}}, {{3, 6}}, {{3, 6}}});
  EXPECT_EQ(plan.capacity(0, 0), 5);
  EXPECT_EQ(plan.capacity(0, 1), 6);
  EXPECT_EQ(plan.live_tokens(1), 7);
  EXPECT_EQ(plan.peak_live_bytes(3), 9 * 80 * 3);
  EXPECT_EQ(plan.arena_bytes(3), 11 * 80 * 3);
}

TEST(Plan, PeakCountsALayerThatGrowsBeforeAnotherShrinks) {
  CacheGeometry geometry{.layers = 2, .heads = 1, .head_dim = 1};
  geometry.steps = next_scale_steps({{1, 4}, {1, 4}, {1, 4}});
  const Plan plan(geometry, {{{2}, {4}}, {{6}, {1}}, {{6}, {1}}});
  EXPECT_EQ(plan.live_bytes(0, 1), 6 * 8);
  EXPECT_EQ(plan.live_bytes(1, 1), 7 * 8);
  EXPECT_EQ(plan.peak_live_bytes(1), 10 * 8);
}

std::string audit_message(const std::vector<LayerHeadTokens>& kept) {
  CacheGeometry geometry{.layers = 1, .heads = 2, .head_dim = 8};
  geometry.steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}});
  try {
    const Plan plan(geometry, kept);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kAudit);
    return error.what();
  }
  return "accepted";
}

TEST(Plan, ImpossibleCountsAreNamed) {
  using testing::HasSubstr;
  EXPECT_EQ(audit_message({{{1, 1}}, {{5, 2}}, {{5, 2}}}), "accepted");
  EXPECT_THAT(audit_message({{{1, 1}}, {{6, 2}}, {{5, 2}}}),
              HasSubstr("step 1, layer 0, head 0: keeps 6 tokens, but only 5 exist"));
  EXPECT_THAT(audit_message({{{1, -1}}, {{5, 2}}, {{5, 2}}}), HasSubstr("head 1: keeps -1"));
  EXPECT_THAT(audit_message({{{1, 1}}, {{5, 2}}, {{9, 2}}}), HasSubstr("not stored"));
  EXPECT_THAT(audit_message({{{1, 1}}, {{5, 2}}, {{4, 2}}}), HasSubstr("expected 5"));
  EXPECT_THAT(audit_message({{{1, 1}}, {{5, 2}}}), HasSubstr("2 steps"));
  EXPECT_THAT(audit_message({{{1, 1}}, {{5}}, {{5, 2}}}),
              HasSubstr("counts for 1 layers of 1 heads, the model has 1 of 2"));
}

TEST(LayerHeadTokens, IsMadeOfListsOfOneLength) {
  const LayerHeadTokens counts{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(counts.layers(), 2);
  EXPECT_EQ(counts.heads(), 3);
  EXPECT_EQ(counts[1][2], 6);
  EXPECT_EQ(LayerHeadTokens::of_layers(std::vector<int64_t>{7, 8}, 2),
            (LayerHeadTokens{{7, 7}, {8, 8}}));
  EXPECT_THROW((LayerHeadTokens{{1, 2}, {3}}), Error);
  EXPECT_THROW(static_cast<void>(counts.at(2)), std::out_of_range);
}

TEST(Plan, CopiesShareTheirCounts) {
  const CacheGeometry geometry{
      .layers = 1, .heads = 1, .head_dim = 1, .steps = next_token_steps(1, 3)};
  Plan copy;
  {
    const Plan plan = full_plan(geometry);
    copy = plan;
  }
  EXPECT_EQ(copy.kept(2, 0, 0), 3);
  EXPECT_EQ(Plan().geometry().layers, 0);
  EXPECT_THROW(static_cast<void>(Plan().kept(0, 0, 0)), std::out_of_range);
}

TEST(Steps, LastScaleIsNotStored) {
  const auto steps = next_scale_steps({{1, 1}, {2, 4}, {3, 3}});
  EXPECT_EQ(full_cache_tokens(steps), 9);
  EXPECT_EQ(steps[2].first_token, 9);
  EXPECT_TRUE(steps[1].stored);
  EXPECT_FALSE(steps[2].stored);
}

}  // namespace
}  // namespace kvscope
