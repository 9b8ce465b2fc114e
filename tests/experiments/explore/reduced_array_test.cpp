#include "experiments/explore/reduced_array.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "analysis/attention/attention_axes.h"

namespace kvscope {
namespace {

NamedArray counted(std::vector<ArrayAxis> axes, const std::string& unit = "share") {
  NamedArray array = NamedArray::zeros(std::move(axes));
  array.unit = unit;
  for (size_t i = 0; i < array.values.size(); ++i) {
    array.values[i] = static_cast<double>((i * 37) % 101);
  }
  return array;
}

TEST(ReducedArray, WhatFitsStaysAsItIs) {
  const NamedArray array = counted({layer_axis(2), head_axis(3), ArrayAxis::counted("step", 5),
                                    ArrayAxis::counted("on_step", 5)});
  const ReducedArray reduced = reduced_by_head(array, {}).value();
  EXPECT_EQ(reduced.values, array.values);
  EXPECT_EQ(reduced.averaging, "");
  EXPECT_EQ(reduced.layers, 2);
  EXPECT_EQ(reduced.heads, 3);
  ASSERT_EQ(reduced.sides.size(), 2);
  EXPECT_EQ(reduced.sides[0].name, "step");
  EXPECT_EQ(reduced.sides[1].last, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(ReducedArray, ArraysWithoutHeadsAreOnePerLayerAndOthersNone) {
  const ReducedArray reduced = reduced_by_head(counted({layer_axis(4)}), {}).value();
  EXPECT_EQ(reduced.heads, 1);
  EXPECT_FALSE(reduced.has_heads);
  EXPECT_TRUE(reduced.sides.empty());
  EXPECT_FALSE(reduced_by_head(counted({ArrayAxis::counted("raw_head", 4)}), {}));
}

TEST(ReducedArray, SharesOnKeysAddUpAndStepsAreMeans) {
  constexpr int64_t kSteps = 9;
  const NamedArray array = counted({layer_axis(1), head_axis(2), ArrayAxis::counted("step", kSteps),
                                    ArrayAxis::counted("on_step", kSteps)});
  const std::vector<StepGroup> groups = {{0, 0}, {1, 4}, {5, 7}};  // the last step is in none
  const ReducedArray reduced = reduced_by_head(array, groups, 4).value();
  EXPECT_EQ(reduced.averaging, "mean over step in groups of 4, sum over on_step in groups of 4");
  for (int64_t head = 0; head < 2; ++head) {
    for (int64_t row = 0; row < 3; ++row) {
      for (int64_t column = 0; column < 3; ++column) {
        double sum = 0;
        for (int64_t step = groups[row].first; step <= groups[row].last; ++step) {
          for (int64_t on = groups[column].first; on <= groups[column].last; ++on) {
            sum += array.at(0, head, step, on);
          }
        }
        const auto steps = static_cast<double>(groups[row].last - groups[row].first + 1);
        EXPECT_DOUBLE_EQ(reduced.values[(head * 3 + row) * 3 + column], sum / steps);
      }
    }
  }
}

TEST(ReducedArray, OtherUnitsAreMeansOverWhatIsThere) {
  NamedArray array =
      counted({layer_axis(1), head_axis(1), ArrayAxis::counted("offset", 10)}, "share^2");
  array.values[3] = NAN;
  const ReducedArray reduced = reduced_by_head(array, {}, 3).value();
  EXPECT_EQ(reduced.averaging, "mean over offset in bins of 4");
  EXPECT_EQ(reduced.sides[0].first, (std::vector<int64_t>{0, 4, 8}));
  EXPECT_EQ(reduced.sides[0].last, (std::vector<int64_t>{3, 7, 9}));
  EXPECT_DOUBLE_EQ(reduced.values[0], (array.values[0] + array.values[1] + array.values[2]) / 3);
}

TEST(ReducedArray, PairsAlongAnAxisBecomeTwoSides) {
  const std::vector<StepInfo> steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}});
  const NamedArray array = counted({layer_axis(1), head_axis(1), step_key_axis(steps)}, "queries");
  const ReducedArray reduced = reduced_by_head(array, {}, 8).value();
  ASSERT_EQ(reduced.sides.size(), 2);
  ASSERT_EQ(reduced.values.size(), 3 * 7);  // 14 keys in bins of 2
  std::map<std::pair<int64_t, int64_t>, double> sums;
  const ArrayAxis& axis = array.axes[2];
  for (size_t i = 0; i < array.values.size(); ++i) {
    sums[{axis.coordinates[0].values[i], axis.coordinates[1].values[i] / 2}] += array.values[i];
  }
  for (int64_t step = 0; step < 3; ++step) {
    for (int64_t bin = 0; bin < 7; ++bin) {
      const double found = reduced.values[step * 7 + bin];
      const auto expected = sums.find({step, bin});
      if (expected == sums.end()) {
        EXPECT_TRUE(std::isnan(found)) << "keys that a step cannot see";
      } else {
        EXPECT_DOUBLE_EQ(found, expected->second);
      }
    }
  }
}

TEST(ReducedArray, MoreThanTwoSidesAreMeansAndItIsSaid) {
  const NamedArray array =
      counted({layer_axis(1), head_axis(1), ArrayAxis::counted("step", 2),
               ArrayAxis::counted("distance", 3), ArrayAxis::counted("rank", 4)});
  const ReducedArray reduced = reduced_by_head(array, {}).value();
  EXPECT_EQ(reduced.averaging, "mean over rank");
  ASSERT_EQ(reduced.values.size(), 6);
  double sum = 0;
  for (int64_t rank = 0; rank < 4; ++rank) sum += array.at(0, 0, 1, 2, rank);
  EXPECT_DOUBLE_EQ(reduced.values[5], sum / 4);
}

}  // namespace
}  // namespace kvscope
