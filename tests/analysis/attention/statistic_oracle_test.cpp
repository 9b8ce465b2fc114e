// Every registered statistic against a naive computation in double from whole attention maps
// (oracles/), on both kinds of models, batches, guidance, padding, grouped queries, dropped and
// masked keys.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/attention/statistic_registry.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/analysis/attention/oracles/all_oracles.h"

namespace kvscope {
namespace {

struct Setting {
  std::string name;
  bool guided;
  AttentionRun run;
};

std::vector<Setting> settings() {
  const std::vector<StepInfo> oblong = next_scale_steps({{1, 1}, {1, 2}, {2, 3}, {4, 5}});
  const std::vector<StepInfo> tokens = next_token_steps(3, 14);
  return {
      {"scales", false, {.rows = 1}},
      {"scales_in_groups_dropped", true, {.rows = 6, .heads = 2, .drops = true, .group = 2}},
      {"oblong_scales_masked", false, {.rows = 3, .masks = true, .steps = oblong}},
      {"oblong_scales_in_groups", true, {.rows = 2, .heads = 2, .steps = oblong, .group = 2}},
      {"tokens", false, {.rows = 1, .line_tokens = 4, .steps = tokens}},
      {"padded_tokens_in_groups_dropped",
       true,
       {.rows = 6,
        .heads = 2,
        .drops = true,
        .line_tokens = 4,
        .padding = {2, 0, 1, 0, 2, 2},
        .steps = tokens,
        .group = 2}},
      {"padded_tokens_masked",
       false,
       {.rows = 3,
        .drops = true,
        .masks = true,
        .line_tokens = 5,
        .padding = {1, 2, 0},
        .steps = tokens}},
      {"padded_tokens", true, {.rows = 2, .line_tokens = 4, .padding = {1, 2}, .steps = tokens}},
  };
}

struct Case {
  std::string statistic;
  Setting setting;
};

AttentionNeeds needs_of(const std::string& statistic) {
  for (const RegisteredStatistic& one : attention_statistics()) {
    if (one.name == statistic) return one.make({})->info().needs;
  }
  return {};
}

class StatisticOracle : public testing::TestWithParam<Case> {};

/// What is recorded of two generations of a setting, and what a naive observer saw of them.
struct Recorded {
  AttentionRecord record;
  NaiveRecording seen;
};

Recorded recorded(const Case& test) {
  AttentionRun run = test.setting.run;
  const AttentionRecorderOptions options{.guided = test.setting.guided,
                                         .statistics = {test.statistic},
                                         .top_keys = 3,
                                         .sampled_queries = 7,
                                         .window_queries = 5,
                                         .raw_heads = {{1, 1}, {0, 0}},
                                         .raw_queries = 6,
                                         .map_query_side = 2,
                                         .map_key_side = 3};
  AttentionRecorder recorder(options);
  NaiveRecording seen{.geometry = run.plan().geometry(),
                      .options = options,
                      .scale = run.scale,
                      .images = test.setting.guided ? run.rows / 2 : run.rows,
                      .padding = run.padding};
  for (const uint64_t seed : {11, 12}) {
    run.generate(recorder, seed);
    seen.generations.push_back(run.naive_steps);
    seen.agreements.push_back(run.agreements);
  }
  return {recorder.record(), std::move(seen)};
}

void expect_near(double found, double expected, size_t at) {
  EXPECT_NEAR(found, expected, 1e-5 * std::max(1.0, std::abs(expected))) << at;
}

TEST_P(StatisticOracle, Agrees) {
  const auto& [statistic, setting] = GetParam();
  const Recorded made = recorded(GetParam());
  const Oracle oracle = oracles().at(statistic);
  const NamedArray& array = made.record.array(statistic);
  bool any = false;
  each_place(array, [&](size_t at, const Where& where) {
    const double expected = oracle(made.seen, where);
    any = any || std::abs(expected) > 1e-9;
    expect_near(array.values[at], expected, at);
  });
  // Of single tokens so few stay that none receives five times the mean; a whole cache loses none.
  const bool has_none =
      (setting.run.drops && setting.run.line_tokens > 0 && needs_of(statistic).received_mass) ||
      (!setting.run.drops && !setting.run.masks && statistic == "loss.output_error");
  EXPECT_NE(any, has_none) << "nothing but 0 is compared";
}

TEST_P(StatisticOracle, AgreesOnEveryImageAndOnTheirVariance) {
  const auto& [statistic, setting] = GetParam();
  Recorded made = recorded(GetParam());
  const Oracle oracle = oracles().at(statistic);
  if (!made.record.of_images.contains(statistic)) {
    EXPECT_FALSE(made.record.variances.contains(statistic));
    EXPECT_TRUE(statistic.starts_with("map.")) << "of the first image alone";
    return;
  }
  const NamedArray& array = made.record.array(statistic);
  const NamedArray& of_images = made.record.of_images.at(statistic);
  const auto found_variance = made.record.variances.find(statistic);
  const bool has_variance = found_variance != made.record.variances.end();
  EXPECT_NE(has_variance, statistic.starts_with("magnitude.")) << "a mean, or a largest";
  ASSERT_EQ(of_images.axes.front(), ArrayAxis::counted("image", made.record.images));
  each_place(array, [&](size_t at, const Where& where) {
    double sum = 0;
    double squares = 0;
    double samples = 0;
    for (int64_t image = 0; image < made.record.images; ++image) {
      made.seen.only.emplace(image / made.seen.images, image % made.seen.images);
      const double expected = oracle(made.seen, where);
      const double found = of_images.values[static_cast<size_t>(image) * array.values.size() + at];
      if (std::isnan(found)) {  // the image has nothing of it
        EXPECT_EQ(expected, 0) << at;
        continue;
      }
      expect_near(found, expected, at);
      samples += 1;
      sum += expected;
      squares += expected * expected;
    }
    if (!has_variance) return;
    const double mean = samples > 0 ? sum / samples : 0;
    const double variance = samples > 0 ? squares / samples - mean * mean : 0;
    EXPECT_NEAR(found_variance->second.values[at], variance,
                1e-5 * std::max(1.0, mean * mean + variance))
        << at;
  });
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const RegisteredStatistic& one : attention_statistics()) {
    const StatisticInfo info = one.make({})->info();
    for (const Setting& setting : settings()) {
      if (!defined_for(info.models, setting.run.steps)) continue;
      if (info.needs_guidance && !setting.guided) continue;
      all.push_back({one.name, setting});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryStatistic,
                         StatisticOracle,
                         testing::ValuesIn(cases()),
                         [](const auto& one) {
                           return test_name(one.param.statistic) + "_on_" + one.param.setting.name;
                         });

}  // namespace
}  // namespace kvscope
