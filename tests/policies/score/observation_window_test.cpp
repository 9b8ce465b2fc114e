#include "policies/score/observation_window.h"

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
