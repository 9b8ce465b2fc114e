// What every registered statistic must do, whichever it is: a new line of statistics.def is tested
// here without a change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "analysis/attention/statistic_registry.h"
#include "core/base/error.h"
#include "tests/analysis/attention/array_places.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

struct Case {
  std::string statistic;
  bool next_token;
  bool drops;
};

class StatisticContract : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static RegisteredStatistic registered() {
    for (const RegisteredStatistic& one : attention_statistics()) {
      if (one.name == GetParam().statistic) return one;
    }
    throw Error(ErrorKind::kAudit, "no such statistic");
  }

  [[nodiscard]] static bool needs_guidance() {
    return registered().make({})->info().needs_guidance;
  }

  [[nodiscard]] static int64_t rows_of_image() { return needs_guidance() ? 2 : 1; }

  [[nodiscard]] static AttentionRun run_of(int64_t images) {
    AttentionRun run{.rows = images * rows_of_image(), .drops = GetParam().drops};
    if (GetParam().next_token) {
      run.line_tokens = 4;
      run.steps = next_token_steps(3, 22);
    }
    return run;
  }

  [[nodiscard]] static std::vector<std::pair<int64_t, int64_t>> raw_heads() {
    if (GetParam().statistic != "map.raw") return {};
    return {{1, 2}};
  }

  [[nodiscard]] static AttentionRecorderOptions options() {
    return {.guided = needs_guidance(),
            .statistics = {GetParam().statistic},
            .top_keys = 3,
            .sampled_queries = 7,
            .window_queries = 5,
            .raw_heads = raw_heads(),
            .raw_queries = 6,
            .query_maps = GetParam().statistic == "map.query",
            .map_query_side = 2,
            .map_key_side = 3};
  }

  [[nodiscard]] static bool is_defined() {
    return defined_for(registered().make(options())->info().models, run_of(1).steps);
  }
};

TEST_P(StatisticContract, DescribesItself) {
  const RegisteredStatistic one = registered();
  const StatisticInfo info = one.make(options())->info();
  EXPECT_FALSE(one.help.empty());
  EXPECT_EQ(one.help.find('\n'), std::string::npos);
  EXPECT_FALSE(info.unit.empty());
  EXPECT_FALSE(info.axes.empty());
  EXPECT_NE(cost_text(info.needs), "nothing") << "a statistic reads something";
}

TEST_P(StatisticContract, IsFiniteAndHasTheAxesItNames) {
  AttentionRun run = run_of(3);
  AttentionRecorder recorder(options());
  if (!is_defined()) {
    EXPECT_THROW(run.generate(recorder, 1), Error);
    return;
  }
  run.generate(recorder, 1);
  const AttentionRecord record = recorder.record();
  ASSERT_EQ(record.arrays.size(), 1);
  const NamedArray& array = record.array(GetParam().statistic);
  const StatisticInfo info = registered().make(options())->info();
  ASSERT_EQ(array.axes.size(), info.axes.size());
  size_t count = 1;
  for (size_t axis = 0; axis < info.axes.size(); ++axis) {
    EXPECT_EQ(array.axes[axis].name, info.axes[axis]);
    for (const Coordinate& coordinate : array.axes[axis].coordinates) {
      EXPECT_EQ(std::ssize(coordinate.values), array.axes[axis].size()) << coordinate.name;
    }
    count *= static_cast<size_t>(array.axes[axis].size());
  }
  ASSERT_EQ(array.values.size(), count);
  const std::map<std::string, int64_t> of_model = {
      {"layer", run.layers}, {"head", run.heads}, {"step", std::ssize(run.steps)}};
  for (const ArrayAxis& axis : array.axes) {
    const auto known = of_model.find(axis.name);
    if (known != of_model.end()) {
      EXPECT_EQ(axis.size(), known->second) << axis.name;
    }
  }
  bool any = false;
  for (const double value : array.values) {
    EXPECT_TRUE(std::isfinite(value));
    any = any || value != 0;
  }
  // Of single tokens so few stay that none receives five times the mean; a whole cache loses none.
  const bool has_none = (GetParam().next_token && GetParam().drops &&
                         registered().make(options())->info().needs.received_mass) ||
                        (!GetParam().drops && GetParam().statistic == "loss.output_error");
  EXPECT_NE(any, has_none) << "all 0, or not";
  EXPECT_EQ(array.unit, info.unit);
  EXPECT_EQ(array.help, registered().help);
}

// The same images, once in one batch and once in three of one image each, give the same array.
TEST_P(StatisticContract, BatchesMerge) {
  if (!is_defined()) return;
  AttentionRun whole = run_of(3);
  AttentionRecorder together(options());
  whole.generate(together, 5);
  AttentionRecorder apart(options());
  for (int64_t row = 0; row < 3; ++row) {
    AttentionRun one = run_of(1);
    one.drawn_rows = whole.rows;
    one.first_row = row;
    one.row_stride = 3;  // under guidance the unconditional rows follow
    one.generate(apart, 5);
  }
  const std::vector<double> expected = together.record().array(GetParam().statistic).values;
  const std::vector<double> found = apart.record().array(GetParam().statistic).values;
  EXPECT_EQ(apart.record().images, 3);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-6 * std::max(1.0, std::abs(expected[i]))) << i;
  }
}

// Guided rows: the unconditional half changes nothing, unless a statistic says that it compares.
TEST_P(StatisticContract, SeesTheConditionalRowsOnly) {
  if (!is_defined()) return;
  if (needs_guidance()) {
    AttentionRecorderOptions plain = options();
    plain.guided = false;
    EXPECT_THROW(static_cast<void>(chosen_statistics(plain, run_of(1).steps)), Error);
    plain.statistics = {kAllStatistics};
    for (const RegisteredStatistic& one : chosen_statistics(plain, run_of(1).steps)) {
      EXPECT_NE(one.name, GetParam().statistic);
    }
    return;
  }
  AttentionRun plain = run_of(2);
  plain.drawn_rows = 4;
  AttentionRecorder conditional(options());
  plain.generate(conditional, 8);
  AttentionRun doubled = run_of(4);
  AttentionRecorderOptions guided = options();
  guided.guided = true;
  AttentionRecorder half(guided);
  doubled.generate(half, 8);
  const std::vector<double> expected = conditional.record().array(GetParam().statistic).values;
  const std::vector<double> found = half.record().array(GetParam().statistic).values;
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-6 * std::max(1.0, std::abs(expected[i]))) << i;
  }
}

/// The numbers of an array by the coordinates of their places.
std::map<std::map<std::string, int64_t>, double> by_place(const NamedArray& array) {
  std::map<std::map<std::string, int64_t>, double> numbers;
  each_place(array, [&](size_t at, const std::map<std::string, int64_t>& place) {
    numbers[place] = array.values[at];
  });
  return numbers;
}

// What is recorded of some layers, heads and steps is what is recorded there of all.
TEST_P(StatisticContract, APartIsOfTheWhole) {
  if (!is_defined()) return;
  AttentionRun run = run_of(2);
  AttentionRecorder whole(options());
  run.generate(whole, 3);
  AttentionRecorderOptions some = options();
  const int64_t last = last_attending_step(run.steps);
  some.part = {.layers = IndexRanges::of(std::vector<int64_t>{0, 1}),
               .heads = IndexRanges::of(std::vector<int64_t>{1, 2}),
               .steps = IndexRanges::of(std::vector<int64_t>{1, last - 1, last})};
  AttentionRecorder part(some);
  run.generate(part, 3);
  const std::string& name = GetParam().statistic;
  if (!part.record().arrays.contains(name)) {
    EXPECT_TRUE(GetParam().next_token) << "lines, of which none is whole";
    return;
  }
  const auto expected = by_place(whole.record().part(name));
  const auto found = by_place(part.record().part(name));
  EXPECT_LT(found.size(), expected.size());
  EXPECT_FALSE(found.empty());
  for (const auto& [place, number] : found) {
    EXPECT_EQ(number, expected.at(place));
    for (const auto& [axis, index] : place) {
      const bool is_chosen = axis == "layer"  ? index <= 1
                             : axis == "head" ? index >= 1
                             : axis == "step" ? index == 1 || index >= last - 1
                                              : true;
      EXPECT_TRUE(is_chosen) << axis << " " << index;
    }
  }
}

// What others ask for beside it changes nothing.
TEST_P(StatisticContract, IsTheSameAloneAndInCompany) {
  if (!is_defined()) return;
  AttentionRun run = run_of(2);
  AttentionRecorder alone(options());
  run.generate(alone, 2);
  AttentionRecorderOptions everything = options();
  everything.statistics = {kAllStatistics};
  AttentionRecorder company(everything);
  run.generate(company, 2);
  EXPECT_EQ(company.record().array(GetParam().statistic).values,
            alone.record().array(GetParam().statistic).values);
}

// What save() keeps is all that there is to keep.
TEST_P(StatisticContract, GoesOnFromWhatWasKept) {
  if (!is_defined()) return;
  AttentionRun run = run_of(2);
  const std::filesystem::path kept =
      std::filesystem::path(testing::TempDir()) / "statistic_contract.safetensors";
  AttentionRecorder whole(options());
  run.generate(whole, 6);
  whole.save(kept, "mine");
  run.generate(whole, 7);
  AttentionRecorder going_on(options());
  going_on.restore(kept, "mine", run.plan().geometry());
  run.generate(going_on, 7);
  EXPECT_EQ(going_on.record().images, 4);
  EXPECT_EQ(going_on.record().array(GetParam().statistic).values,
            whole.record().array(GetParam().statistic).values);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const RegisteredStatistic& one : attention_statistics()) {
    for (const bool next_token : {false, true}) {
      for (const bool drops : {false, true}) all.push_back({one.name, next_token, drops});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryStatistic,
                         StatisticContract,
                         testing::ValuesIn(cases()),
                         [](const auto& one) {
                           return test_name(one.param.statistic) +
                                  (one.param.next_token ? "_next_token" : "_next_scale") +
                                  (one.param.drops ? "_dropping" : "_whole");
                         });

}  // namespace
}  // namespace kvscope
