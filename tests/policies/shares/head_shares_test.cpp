// Ada-KV's counts against a naive selection.
#include "policies/shares/head_shares.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace kvscope {
namespace {

using Scores = std::vector<std::vector<float>>;

/// Heads of different lengths and concentration: scores u^power, all different.
Scores spiky_scores(uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0.01F, 1.0F);
  Scores scores;
  for (const auto& [tokens, power] : {std::pair(17, 1.0F), {23, 9.0F}, {5, 3.0F}, {31, 5.0F}}) {
    scores.emplace_back();
    for (int i = 0; i < tokens; ++i) scores.back().push_back(std::pow(uniform(random), power));
  }
  return scores;
}

int64_t sum_of(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

/// The equations in double: weights, then the best tokens one after the other.
std::vector<int64_t> naive_joint(
    const Scores& scores, int64_t total, int64_t base, bool weighted, int64_t safe) {
  std::vector<std::pair<double, std::size_t>> all;
  std::vector<int64_t> counts(scores.size(), 0);
  for (std::size_t head = 0; head < scores.size(); ++head) {
    std::vector<double> line(scores[head].begin(), scores[head].end());
    std::sort(line.rbegin(), line.rend());
    const auto top = line.begin() + std::min<int64_t>(std::max<int64_t>(base, 1), std::ssize(line));
    const double weight = weighted ? std::accumulate(line.begin(), top, 0.0) /
                                         std::accumulate(line.begin(), line.end(), 0.0)
                                   : 1.0;
    for (int64_t i = 0; i < std::ssize(line); ++i) {
      if (i < safe) {
        ++counts[head];
      } else {
        all.emplace_back(weight * line[static_cast<std::size_t>(i)], head);
      }
    }
  }
  std::sort(all.rbegin(), all.rend());
  for (int64_t i = 0, left = total - sum_of(counts); i < left; ++i) {
    ++counts[all[static_cast<std::size_t>(i)].second];
  }
  return counts;
}

TEST(HeadShares, JointCountsEqualTheirDefinition) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    const Scores scores = spiky_scores(seed);
    for (const int64_t total : {0, 1, 13, 40, 75, 76}) {
      for (const bool weighted : {false, true}) {
        const int64_t safe = total / 4 / 3;
        EXPECT_EQ(joint_counts(scores, total, total / 4, weighted, safe),
                  naive_joint(scores, total, total / 4, weighted, safe))
            << "seed " << seed << ", total " << total;
        EXPECT_EQ(sum_of(joint_counts(scores, total, total / 4, weighted)), total);
      }
    }
  }
}

TEST(HeadShares, NumbersThatAreNoneComeLast) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Scores scores{{kNan, kInfinity, -kInfinity}, {-2, -3}, {0, 0, 0}};
  EXPECT_EQ(joint_counts(scores, 5, 2, false), (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(sum_of(joint_counts(scores, 7, 2, true)), 7);
}

TEST(HeadShares, TheFloorRoundsHalvesToEven) {
  // 0.5 joint + 2: 2.5 -> 2, 3.5 -> 4, 4.5 -> 4, 5 -> 5.
  EXPECT_EQ(floored_counts(std::vector<int64_t>{1, 3, 5, 6}, 5, 0.5),
            (std::vector<int64_t>{2, 4, 4, 5}));
  EXPECT_EQ(floored_counts(std::vector<int64_t>{0, 9}, 4, 1.0), (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(floored_counts(std::vector<int64_t>{0, 9}, 4, 0.0), (std::vector<int64_t>{0, 9}));
}

TEST(HeadShares, FittingMeetsTheTotalByTheNextBestAndTheLastWorst) {
  const Scores scores{{9, 8, 1}, {7, 6, 5}, {4, 3, 2}};
  const auto fitted = [&](std::vector<int64_t> counts, int64_t total, int64_t floor) {
    return fitted_counts(scores, std::move(counts), total, 1, false, floor);
  };
  EXPECT_EQ(fitted({1, 1, 1}, 5, 0), (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(fitted({2, 3, 2}, 5, 0), (std::vector<int64_t>{2, 3, 0}));
  EXPECT_EQ(fitted({2, 3, 2}, 4, 1), (std::vector<int64_t>{2, 1, 1}));
  EXPECT_EQ(fitted({2, 2, 2}, 2, 2),
            (std::vector<int64_t>{2, 0, 0}));  // below the floor if it must
  EXPECT_EQ(fitted({9, -4, 0}, 9, 0), (std::vector<int64_t>{3, 3, 3}));
  EXPECT_EQ(fitted({3, 3, 3}, 0, 0), (std::vector<int64_t>{0, 0, 0}));
}

TEST(HeadShares, DoNotDependOnTheOrderOfTheHeads) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const Scores scores = spiky_scores(seed);
    Scores rotated = scores;
    std::rotate(rotated.begin(), rotated.begin() + 1, rotated.end());
    const auto counts_of = [](const Scores& of) {
      return fitted_counts(of, floored_counts(joint_counts(of, 37, 9, true), 9, 0.3), 37, 9, true,
                           2);
    };
    auto counts = counts_of(scores);
    EXPECT_EQ(sum_of(counts), 37);
    std::rotate(counts.begin(), counts.begin() + 1, counts.end());
    EXPECT_EQ(counts_of(rotated), counts);
  }
}

}  // namespace
}  // namespace kvscope
