// PyramidKV's schedules against the equations, and against what they promise.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/allocate/pyramid_schedule.h"

namespace kvscope {
namespace {

int64_t sum(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

TEST(PyramidIntegers, FallsOnALineOfWholeTokens) {
  // c = 56, lowest 2, highest 110, slope 108 / 7 = 15, window 8 on top.
  EXPECT_EQ(pyramid_integers(64, 8, 8, 608, 20),
            (std::vector<int64_t>{118, 103, 88, 73, 58, 43, 28, 13}));
  // Clamped: highest = 112 - 8 = 104, lowest = 112 - 104 = 8, slope 96.
  EXPECT_EQ(pyramid_integers(64, 8, 2, 112, 20), (std::vector<int64_t>{112, 16}));
}

TEST(PyramidIntegers, KeepsTheBudgetWhereThereIsNoLine) {
  EXPECT_EQ(pyramid_integers(64, 8, 3, 63, 20), (std::vector<int64_t>{63, 63, 63}));
  EXPECT_EQ(pyramid_integers(64, 8, 3, 111, 20), (std::vector<int64_t>{64, 64, 64}));
  EXPECT_EQ(pyramid_integers(64, 8, 1, 608, 20), (std::vector<int64_t>{64}));
  EXPECT_EQ(pyramid_integers(64, 64, 3, 608, 20), (std::vector<int64_t>{64, 64, 64}));
}

TEST(PyramidIntegers, ExceedsTheMeanByLessThanHalfTheLayers) {
  for (int64_t tokens = 40; tokens < 400; tokens += 13) {
    for (int64_t budget = 9; budget <= tokens; budget += 7) {
      for (const int64_t layers : {2, 3, 5, 32}) {
        const std::vector<int64_t> kept = pyramid_integers(budget, 5, layers, tokens, 20);
        EXPECT_TRUE(std::ranges::is_sorted(kept, std::greater<>()));
        EXPECT_LE(kept.front(), tokens);
        EXPECT_GE(kept.back(), 5);
        EXPECT_GE(sum(kept), budget * layers);
        EXPECT_LT(sum(kept), budget * layers + layers * (layers - 1) / 2 + 1);
      }
    }
  }
}

TEST(PyramidDoubles, CountsIncludeTheWindowAndHalvesGoToEven) {
  // c = 40, lowest 8, highest 72, slope 64 / 3.
  EXPECT_EQ(pyramid_doubles(40, 4, 4, 100, 5), (std::vector<int64_t>{72, 51, 29, 8}));
  // lowest 2.5 is below a window of 4: the share in every layer, 12.5 rounded to 12.
  EXPECT_EQ(pyramid_doubles(12.5, 4, 3, 100, 5), (std::vector<int64_t>{12, 12, 12}));
  EXPECT_EQ(pyramid_doubles(13.5, 4, 1, 100, 5), (std::vector<int64_t>{14}));
}

TEST(Pyramid, LowerLayersKeepMoreAndTheMeanFitsTheBudget) {
  const CacheGeometry geometry{.layers = 5,
                               .heads = 3,
                               .head_dim = 8,
                               .steps = next_scale_steps({{1, 1}, {5, 5}, {9, 9}, {12, 12}})};
  for (const char* form : {"integers", "doubles"}) {
    const auto policy =
        policy_from(std::string("{allocate: {name: pyramid, beta: 10, form: ") + form +
                    "}, score: {name: window_attention, window: 4}, protect: {name: window}}");
    Budget budget = Budget::of_tokens(40);
    budget.moment = BudgetMoment::kEnd;
    const Plan plan = policy->plan(geometry, budget);
    int64_t total = 0;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      total += plan.kept(2, layer, 0);
      if (layer > 0) {
        EXPECT_LT(plan.kept(2, layer, 1), plan.kept(2, layer - 1, 1));
      }
      EXPECT_EQ(plan.kept(1, layer, 0), 26);  // fewer tokens than the budget: no cut
    }
    EXPECT_LE(total, 40 * 5);
    EXPECT_GE(total, 38 * 5);
  }
  EXPECT_THROW((void)policy_from("{allocate: {name: pyramid, beta: 2.5}}"), Error);
  EXPECT_NO_THROW((void)policy_from("{allocate: {name: pyramid, beta: 2.5, form: doubles}}"));
}

}  // namespace
}  // namespace kvscope
