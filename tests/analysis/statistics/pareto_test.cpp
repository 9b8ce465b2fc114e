#include "analysis/statistics/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace kvscope {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool beats(const CostQuality& a, const CostQuality& b) {
  if (!(a.cost <= b.cost) || !(a.quality >= b.quality)) return false;
  return a.cost < b.cost || a.quality > b.quality;
}

/// Points on a coarse grid, so that many share a cost or a quality.
std::vector<CostQuality> random_points(std::mt19937& random, size_t count) {
  std::uniform_int_distribution<int> step(0, 11);
  std::vector<CostQuality> points;
  for (size_t i = 0; i < count; ++i) {
    points.push_back({std::pow(2.0, step(random)), static_cast<double>(step(random))});
    if (step(random) == 0) points.back().quality = kNone;
    if (step(random) == 0) points.back().quality = kInfinity;
  }
  return points;
}

TEST(Pareto, DominatedMeansNoBetterInEitherAndWorseInOne) {
  const std::vector<CostQuality> points{{1, 10}, {2, 10}, {2, 30}, {2, 30}, {4, 20}, {1, kNone}};
  EXPECT_EQ(dominated(points), (std::vector<bool>{false, true, false, false, true, true}));
  EXPECT_EQ(pareto_front(points), (std::vector<size_t>{0, 2, 3}));
}

TEST(Pareto, DominanceIsThatOfEveryPair) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const std::vector<CostQuality> points = random_points(random, 30);
    const std::vector<bool> found = dominated(points);
    for (size_t i = 0; i < points.size(); ++i) {
      const bool expected =
          std::isnan(points[i].quality) ||
          std::ranges::any_of(points, [&](const auto& other) { return beats(other, points[i]); });
      EXPECT_EQ(found[i], expected) << points[i].cost << " " << points[i].quality;
    }
  }
}

TEST(Pareto, HypervolumeSumsTheStairs) {
  const std::vector<CostQuality> points{{1, 10}, {10, 30}, {20, 20}};
  // From 1 to 100 is two decades at quality 10, from 10 to 100 one decade at 20 more.
  EXPECT_NEAR(hypervolume(points, {100, 0}), 2 * 10 + 1 * 20, 1e-12);
  EXPECT_EQ(hypervolume({}, {100, 0}), 0);
}

TEST(Pareto, HypervolumeIsTheShareOfCellsThatAPointReaches) {
  std::mt19937 random(2);
  const double octave = std::log10(2.0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<CostQuality> points = random_points(random, 12);
    std::erase_if(points, [](const CostQuality& point) { return std::isinf(point.quality); });
    const CostQuality reference{std::pow(2.0, 9), 2};
    // Cells of an octave by one: a cell counts where some point is at its cheap, good corner or
    // beyond.
    double expected = 0;
    for (int column = 0; column < 9; ++column) {
      for (int row = 2; row < 11; ++row) {
        const CostQuality corner{std::pow(2.0, column), row + 1.0};
        const bool reached = std::ranges::any_of(points, [&](const CostQuality& point) {
          return point.cost <= corner.cost && point.quality >= corner.quality;
        });
        if (reached) expected += octave;
      }
    }
    EXPECT_NEAR(hypervolume(points, reference), expected, 1e-9);
  }
}

TEST(Pareto, MorePointsNeverDominateLess) {
  std::mt19937 random(3);
  std::vector<CostQuality> points;
  double before = 0;
  for (const CostQuality& point : random_points(random, 60)) {
    points.push_back(point);
    const double now = hypervolume(points, {4096, 0});
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(Pareto, TheWorstCornerIsOfFinitePoints) {
  const CostQuality corner =
      worst_corner(std::vector<CostQuality>{{1, 5}, {8, kInfinity}, {4, 7}, {9, kNone}});
  EXPECT_EQ(corner.cost, 4);
  EXPECT_EQ(corner.quality, 5);
  EXPECT_TRUE(std::isnan(worst_corner({}).cost));
}

}  // namespace
}  // namespace kvscope
