// CAKE's published adjustment of layer budgets on cases worked out by hand.
#include "policies/shares/layer_budgets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::ElementsAre;

std::vector<int64_t> adjusted(std::vector<double> budgets, int64_t total, int64_t limit) {
  return adjusted_budgets(budgets, total, limit);
}

TEST(LayerBudgets, AreTruncatedAndTheRestGoesToTheFirst) {
  EXPECT_THAT(adjusted({3.9, 3.9, 2.2}, 10, 99), ElementsAre(4, 4, 2));  // 3 + 3 + 2, two missing
  EXPECT_THAT(adjusted({-0.9, 5.0}, 5, 99), ElementsAre(0, 5));          // towards zero
}

TEST(LayerBudgets, ExcessOverTheLimitIsSharedByTheOthers) {
  // 20 is 12 over the limit of 8: 6 each to the others, one of which then is over it by itself.
  EXPECT_THAT(adjusted({20, 5, 1}, 26, 8), ElementsAre(8, 11, 7));
  // 7 over: 4 and 3.
  EXPECT_THAT(adjusted({15, 1, 2}, 18, 8), ElementsAre(8, 5, 5));
}

TEST(LayerBudgets, TooMuchIsTakenFromLayersAboveOne) {
  EXPECT_THAT(adjusted({6, 1, 5, 0}, 7, 99), ElementsAre(3, 1, 3, 0));  // 5 off: 3 and 2
  EXPECT_THAT(adjusted({2, 9}, 1, 99), ElementsAre(-3, 4));             // once only
  EXPECT_THAT(adjusted({1, 0}, -5, 99), ElementsAre(1, 0));             // nobody can give
  EXPECT_THAT(adjusted({4, 4}, 12, 4), ElementsAre(4, 4));              // nobody can take
}

TEST(LayerBudgets, RefuseWhatIsNoNumber) {
  EXPECT_THROW(adjusted({1, std::nan("")}, 3, 9), Error);
  EXPECT_THROW(adjusted({1, INFINITY}, 3, 9), Error);
  EXPECT_THROW(preferred_budgets(std::vector<double>{0, 0}, 3, 9), Error);
  EXPECT_THROW(preferred_budgets(std::vector<double>{2, -1}, 3, 9), Error);
}

TEST(LayerBudgets, FittingMeetsBoundsAndTotal) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> budgets(1 + random() % 7);
    for (int64_t& budget : budgets) budget = static_cast<int64_t>(random() % 60) - 20;
    const auto limit = static_cast<int64_t>(5 + random() % 30);
    const auto layers = std::ssize(budgets);
    const auto total = static_cast<int64_t>(random() % static_cast<uint64_t>(40 * layers));
    const auto fitted = fitted_budgets(budgets, total, 1, limit);
    for (const int64_t budget : fitted) {
      EXPECT_GE(budget, 1);
      EXPECT_LE(budget, limit);
    }
    EXPECT_EQ(std::accumulate(fitted.begin(), fitted.end(), int64_t{0}),
              std::clamp(total, layers, limit * layers));
  }
}

}  // namespace
}  // namespace kvscope
