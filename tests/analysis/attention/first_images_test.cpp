#include "analysis/attention/first_images.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/statistics/interval.h"
#include "core/base/error.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

AttentionRecord recorded(int64_t generations, int64_t per_image_numbers = 1 << 17) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .per_image_numbers = per_image_numbers});
  for (int64_t seed = 0; seed < generations; ++seed) {
    run.generate(recorder, static_cast<uint64_t>(seed));
  }
  return recorder.record();
}

TEST(FirstImages, AreTheRecordOfThem) {
  const AttentionRecord all = recorded(3);  // 2 images each
  const AttentionRecord two = recorded(1);
  const AttentionRecord first = of_first_images(all, 2);
  EXPECT_EQ(first.images, 2);
  EXPECT_TRUE(first.holds("mass.step"));
  for (const auto& [name, array] : first.arrays) {
    const NamedArray& expected = two.array(name);
    ASSERT_EQ(array.axes, expected.axes) << name;
    for (size_t i = 0; i < array.values.size(); ++i) {
      EXPECT_NEAR(array.values[i], expected.values[i], 1e-6) << name << " " << i;
    }
  }
  EXPECT_THROW((void)of_first_images(all, 7), Error);
  EXPECT_THROW((void)of_first_images(all, 0), Error);
}

TEST(FirstImages, SpreadIsThatOfTheImages) {
  const AttentionRecord record = recorded(3);
  const NamedArray deviation = image_spread(record, "mass.step", ImageSpread::kDeviation);
  const NamedArray half = image_spread(record, "mass.step", ImageSpread::kInterval);
  for (size_t i = 0; i < half.values.size(); ++i) {
    std::vector<double> values;
    for (int64_t image = 0; image < record.images; ++image) {
      values.push_back(of_image(record, "mass.step", image).values[i]);
    }
    const Interval expected = mean_interval(values);
    EXPECT_NEAR(half.values[i], (expected.high - expected.low) / 2, 1e-5) << i;
    double squares = 0;
    for (const double value : values) squares += std::pow(value - expected.estimate, 2);
    EXPECT_NEAR(deviation.values[i], std::sqrt(squares / 5), 1e-5) << i;
  }
}

TEST(FirstImages, WhatIsNotThereIsRefused) {
  const AttentionRecord record = recorded(2, 0);
  EXPECT_TRUE(record.of_images.empty());
  EXPECT_FALSE(record.variances.empty());
  EXPECT_THROW((void)of_image(record, "mass.step", 0), Error);
  EXPECT_THROW((void)of_image(recorded(2), "mass.step", 4), Error);
  EXPECT_THROW((void)of_image(recorded(2), "mass.stop", 0), Error);
  AttentionRun run{.rows = 1};
  AttentionRecorder single({.guided = false});
  run.generate(single, 1);
  EXPECT_THROW((void)image_spread(single.record(), "mass.step", ImageSpread::kInterval), Error);
}

}  // namespace
}  // namespace kvscope
