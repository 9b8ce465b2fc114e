#include "policies/signals/observation_window.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

using Indices = std::vector<int64_t>;

TEST(PatchCentres, AreThePublishedCoordinates) {
  EXPECT_EQ(patch_centres(20, 4), (Indices{2, 7, 12, 17}));
  EXPECT_EQ(patch_centres(24, 4), (Indices{2, 8, 14, 20}));
  EXPECT_EQ(patch_centres(32, 4), (Indices{3, 11, 19, 27}));
  EXPECT_EQ(patch_centres(40, 4), (Indices{4, 14, 24, 34}));
  EXPECT_EQ(patch_centres(48, 4), (Indices{5, 17, 29, 41}));
  EXPECT_EQ(patch_centres(64, 4), (Indices{7, 23, 39, 55}));
}

TEST(PatchCentres, AnotherRuleTakesAnotherMiddle) {
  EXPECT_EQ(patch_centres(24, 4, PatchCentre::kLowerRight), (Indices{3, 9, 15, 21}));
  EXPECT_EQ(patch_centres(20, 4, PatchCentre::kLowerRight), (Indices{2, 7, 12, 17}));
  // 22 is no multiple of 4: whole patches end at 19, equal ones at the side's end.
  EXPECT_EQ(patch_centres(22, 4), (Indices{2, 7, 12, 17}));
  EXPECT_EQ(patch_centres(22, 4, PatchCentre::kSpread), (Indices{2, 8, 13, 19}));
  for (int64_t side = 4; side < 120; ++side) {
    for (const auto rule :
         {PatchCentre::kUpperLeft, PatchCentre::kLowerRight, PatchCentre::kSpread}) {
      const Indices centres = patch_centres(side, 4, rule);
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_LT(i == 0 ? -1 : centres[i - 1], centres[i]);
        EXPECT_LT(centres[i], side);
      }
    }
  }
}

TEST(Square1mWindow, IsTheReleasedCodesWhateverTheImagesShape) {
  // Ratio 1.25: 25 x 20 tokens, of which the released code takes the last 400 for the scale.
  const StepInfo oblong{.index = 7, .grid_height = 25, .grid_width = 20, .first_token = 614};
  Indices expected;
  for (const int64_t y : {2, 7, 12, 17}) {
    for (const int64_t x : {2, 7, 12, 17}) expected.push_back(614 + 500 - 400 + y * 20 + x);
  }
  EXPECT_EQ(square_1m_window(oblong, 16), expected);
  EXPECT_NE(centroid_window(oblong, 16), expected);
  // 35 x 28 = 980 tokens are fewer than the 1024 that it counts; the window lies inside still.
  const StepInfo less{.index = 9, .grid_height = 35, .grid_width = 28, .first_token = 1834};
  EXPECT_EQ(square_1m_window(less, 16).front(), 1834 + 980 - 1024 + 3 * 32 + 3);
  EXPECT_EQ(square_1m_window(less, 16).size(), 16u);
  const StepInfo square{.index = 8, .grid_height = 24, .grid_width = 24, .first_token = 921};
  EXPECT_EQ(square_1m_window(square, 16), centroid_window(square, 16));
  const StepInfo small{.index = 1, .grid_height = 2, .grid_width = 2, .first_token = 1};
  EXPECT_EQ(square_1m_window(small, 16), trailing_window(small, 16));
  const StepInfo beyond{.index = 13, .grid_height = 80, .grid_width = 80, .first_token = 10521};
  EXPECT_EQ(square_1m_window(beyond, 16), trailing_window(beyond, 16));
}

TEST(CentroidWindow, LiesOnTheStepsOwnGrid) {
  const StepInfo square{.grid_height = 20, .grid_width = 20};
  const Indices window = centroid_window(square, 16);
  ASSERT_EQ(window.size(), 16u);
  EXPECT_EQ(window.front(), 2 * 20 + 2);
  EXPECT_EQ(window[5], 7 * 20 + 7);
  EXPECT_EQ(window.back(), 17 * 20 + 17);

  const StepInfo oblong{.grid_height = 25, .grid_width = 20};
  EXPECT_EQ(centroid_window(oblong, 16)[4], (6 + 2) * 20 + 2);
  EXPECT_EQ(centroid_window(oblong, 4),
            (Indices{5 * 20 + 4, 5 * 20 + 14, 17 * 20 + 4, 17 * 20 + 14}));
  const StepInfo smallest{.grid_height = 4, .grid_width = 4};
  EXPECT_EQ(centroid_window(smallest, 16).size(), 16u);
}

TEST(CentroidWindow, FallsBackToTheLastTokens) {
  const StepInfo narrow{.grid_height = 3, .grid_width = 9};
  EXPECT_EQ(centroid_window(narrow, 16), trailing_window(narrow, 16));
  EXPECT_EQ(trailing_window(narrow, 16).front(), 11);
  const StepInfo few{.grid_height = 2, .grid_width = 2};
  EXPECT_EQ(centroid_window(few, 16), (Indices{0, 1, 2, 3}));
  const StepInfo square{.grid_height = 8, .grid_width = 8};
  EXPECT_EQ(centroid_window(square, 5), (Indices{59, 60, 61, 62, 63}));
}

TEST(RecentWindow, ReachesBackOverEarlierSteps) {
  const StepInfo token{.kind = StepKind::kToken, .index = 4, .first_token = 10};
  EXPECT_EQ(recent_window(token, 3), (Indices{8, 9, 10}));
  EXPECT_EQ(recent_window(token, 99).size(), 11u);
  EXPECT_EQ(trailing_window(token, 3), (Indices{10}));
  EXPECT_EQ(in_step(token, {8, 9, 10}), (Indices{0}));
  const StepInfo later{.grid_height = 4, .grid_width = 4, .first_token = 21};
  EXPECT_EQ(centroid_window(later, 4), (Indices{21, 23, 29, 31}));
  EXPECT_EQ(in_step(later, centroid_window(later, 4)), (Indices{0, 2, 8, 10}));
}

TEST(ObservationWindow, ShrinksToHalfOfWhatATightHeadKeeps) {
  EXPECT_EQ(fitting_window(16, 16), 16);
  EXPECT_EQ(fitting_window(16, 13), 6);
  EXPECT_EQ(fitting_window(16, 1), 1);
  EXPECT_EQ(fitting_square_window(16, 200), 16);
  EXPECT_EQ(fitting_square_window(16, 13), 4);
  EXPECT_EQ(fitting_square_window(16, 3), 1);
}

}  // namespace
}  // namespace kvscope
