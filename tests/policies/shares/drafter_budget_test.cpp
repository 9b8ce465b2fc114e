#include "policies/shares/drafter_budget.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(DrafterBudget, IsTheLargestWholeSolution) {
  for (const int64_t layers : {1, 2, 5, 12}) {
    for (int64_t drafters = 0; drafters <= layers; ++drafters) {
      for (const int64_t budget : {7, 30}) {
        for (const int64_t limit : {30, 61, 400}) {
          for (const int64_t floor : {0, 6}) {
            int64_t best = budget;
            for (int64_t tokens = budget; tokens <= limit; ++tokens) {  // by exhaustion
              for (int64_t refiner = floor; refiner <= budget; ++refiner) {
                if (drafters > 0 && drafters < layers &&
                    drafters * tokens + (layers - drafters) * refiner == budget * layers) {
                  best = tokens;
                }
              }
            }
            const auto found = drafter_budget(layers, drafters, budget, limit, floor);
            EXPECT_EQ(found.drafter_tokens, best);
            EXPECT_EQ(drafters * found.drafter_tokens + (layers - drafters) * found.refiner_tokens,
                      budget * layers);
          }
        }
      }
    }
  }
}

TEST(FitToAvailable, GivesBackWhatALayerCannotHold) {
  EXPECT_EQ(fit_to_available({50, 10, 10, 10}, {20, 40, 11, 40}, {1, 2, 3}, 80),
            (std::vector<int64_t>{20, 25, 11, 24}));
  EXPECT_EQ(fit_to_available({50, 10}, {60, 12}, {1}, 70), (std::vector<int64_t>{58, 12}));
}

}  // namespace
}  // namespace kvscope
