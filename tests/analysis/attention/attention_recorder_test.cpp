#include "analysis/attention/attention_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/attention/attention_axes.h"
#include "core/base/error.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

constexpr double kTolerance = 2e-5;

double mass_of(
    const AttentionRecord& record, int64_t layer, int64_t head, int64_t step, int64_t on_step) {
  return record.array("mass.step").at(layer, head, step, on_step);
}

double key_mass_of(
    const AttentionRecord& record, int64_t layer, int64_t head, int64_t step, int64_t key) {
  return record.array("mass.key").at(layer, head, step_key_begins(record.steps)[step] + key);
}

/// Compares with the mean of what the naive observer saw in `runs` generations.
struct Oracle {
  const AttentionRun& run;
  std::vector<std::vector<std::vector<at::Tensor>>> weights{};  // [generation][step][layer]

  /// [images, group * queries, K] of the conditional rows of all generations.
  [[nodiscard]] at::Tensor rows(int64_t step, int64_t layer, int64_t head, int64_t images) const {
    std::vector<at::Tensor> parts;
    for (const auto& generation : weights) {
      parts.push_back(generation[step][layer].narrow(0, 0, images).select(1, head));
    }
    return at::cat(parts);
  }
};

void expect_equals(const AttentionRecord& record, const Oracle& oracle, int64_t batch_images) {
  const auto steps = static_cast<int64_t>(record.steps.size());
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < record.heads; ++head) {
      for (int64_t step = 0; step < steps; ++step) {
        const at::Tensor rows = oracle.rows(step, layer, head, batch_images);
        const at::Tensor columns = rows.sum(1).mean(0) / oracle.run.group;
        const auto keys = record.keys(step);
        ASSERT_EQ(columns.numel(), keys);
        double total = 0;
        for (int64_t on = 0; on < steps; ++on) {
          const double mass = mass_of(record, layer, head, step, on);
          total += mass;
          if (on > step) {
            EXPECT_EQ(mass, 0);
            continue;
          }
          const at::Tensor per_image =
              rows.narrow(2, record.steps[on].first_token, record.steps[on].queries())
                  .sum(2)
                  .mean(1);
          EXPECT_NEAR(mass, per_image.mean().item<double>(), kTolerance);
          EXPECT_NEAR(record.variances.at("mass.step").at(layer, head, step, on),
                      per_image.var(false).item<double>(), kTolerance);
        }
        EXPECT_NEAR(total, 1, kTolerance);
        for (int64_t key = 0; key < keys; ++key) {
          EXPECT_NEAR(key_mass_of(record, layer, head, step, key), columns[key].item<double>(),
                      kTolerance * 25);
        }
        const int64_t past = record.steps[step].first_token;
        double top = 0;
        if (past > 0) {
          const int64_t most = record.array("mass.history_top").parameter("top_keys");
          top = std::get<0>(rows.narrow(2, 0, past).topk(std::min(most, past), 2))
                    .sum(2)
                    .mean()
                    .item<double>();
        }
        EXPECT_NEAR(record.array("mass.history_top").at(layer, head, step), top, kTolerance);
      }
    }
  }
}

TEST(AttentionRecorder, FullCacheEqualsTheNaiveObserver) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .top_keys = 3, .sampled_queries = 0});
  Oracle oracle{run};
  for (const uint64_t seed : {1, 2, 3}) {
    recorder.add_prompts({"a", "b"});
    run.generate(recorder, seed);
    oracle.weights.push_back(run.weights);
  }
  const AttentionRecord record = recorder.record();
  EXPECT_EQ(record.images, 6);
  EXPECT_EQ(record.prompts.size(), 6);
  EXPECT_EQ(record.steps, run.steps);
  expect_equals(record, oracle, 2);
}

TEST(AttentionRecorder, DroppedKeysHaveNoMassAndTheRestStillSumsToOne) {
  AttentionRun run{.rows = 3, .drops = true};
  AttentionRecorder recorder({.guided = false, .top_keys = 5, .sampled_queries = 0});
  run.generate(recorder, 9);
  const AttentionRecord record = recorder.record();
  EXPECT_EQ(record.images, 3);
  Oracle oracle{run, {run.weights}};
  expect_equals(record, oracle, 3);
  EXPECT_EQ(key_mass_of(record, 0, 0, 3, 1), 0) << "head 0 keeps even positions only";
}

TEST(AttentionRecorder, AHeadIsTheMeanOverTheQueryHeadsThatReadIt) {
  AttentionRun run{.rows = 3, .heads = 2, .drops = true, .group = 3};
  AttentionRecorder recorder(
      {.guided = false, .top_keys = 5, .sampled_queries = 0, .raw_heads = {{1, 1}}});
  run.generate(recorder, 9);
  const AttentionRecord record = recorder.record();
  EXPECT_EQ(record.heads, 2);
  expect_equals(record, {run, {run.weights}}, 3);
  const at::Tensor map =
      run.weights[3][1][0][1].unflatten(0, {3, 25}).mean(0);  // of the last scale
  const NamedArray& raw = record.array("map.raw");
  const int64_t first = raw.axes[1].size() - map.size(0);  // the last scale's rows come last
  for (int64_t row = 0; row < map.size(0); ++row) {
    for (int64_t key = 0; key < map.size(1); ++key) {
      EXPECT_NEAR(raw.at(0, first + row, key), map[row][key].item<double>(), kTolerance);
    }
  }
  double spread = 0;  // of the queries of each query head by themselves
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t g = 0; g < 3; ++g) {
      const at::Tensor own = run.weights[3][2][row][0].narrow(0, 25 * g, 25);
      spread += own.var(0, false).sum().item<double>() / 9;
    }
  }
  EXPECT_NEAR(record.array("variance.query").at(2, 0), spread, kTolerance);
}

TEST(AttentionRecorder, SampledQueriesAreEvenlySpaced) {
  AttentionRun run{.rows = 1};
  AttentionRecorder recorder({.guided = false, .top_keys = 1000, .sampled_queries = 4});
  run.generate(recorder, 4);
  const AttentionRecord record = recorder.record();
  // 25 queries in 4 parts of 6.25: middles 3, 9, 15, 21. All of the history is the top 1000.
  const at::Tensor rows = run.weights[3][2][0][1].narrow(1, 0, 17).sum(1);
  double mean = 0;
  for (const int64_t query : {3, 9, 15, 21}) mean += rows[query].item<double>() / 4;
  EXPECT_NEAR(record.array("mass.history_top").at(2, 1, 3), mean, kTolerance);
}

TEST(AttentionRecorder, RawMapsOfTheFirstImage) {
  AttentionRun run{.drops = true};
  AttentionRecorder recorder({.guided = true, .raw_heads = {{1, 2}, {0, 1}}, .raw_queries = 5});
  run.generate(recorder, 5);
  const auto first = run.weights;
  run.generate(recorder, 6);
  const AttentionRecord record = recorder.record();
  const NamedArray& raw = record.array("map.raw");
  const std::vector<Coordinate>& heads = raw.axes[0].coordinates;
  const std::vector<Coordinate>& queries = raw.axes[1].coordinates;
  EXPECT_EQ(heads[0].values, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(heads[1].values, (std::vector<int64_t>{2, 1}));
  ASSERT_EQ(raw.axes[1].size(), 1 + 4 + 5 + 5);
  for (int64_t map = 0; map < 2; ++map) {
    for (int64_t row = 0; row < raw.axes[1].size(); ++row) {
      const auto step = static_cast<size_t>(queries[0].values[row]);
      const at::Tensor line =
          first[step][heads[0].values[map]][0][heads[1].values[map]][queries[1].values[row]];
      for (int64_t key = 0; key < raw.axes[2].size(); ++key) {
        const double expected = key < line.numel() ? line[key].item<double>() : 0;
        EXPECT_NEAR(raw.at(map, row, key), expected, kTolerance);
      }
    }
  }
}

TEST(AttentionRecorder, KeepsTheRowsOfMapsThatAreNamed) {
  AttentionRun run;
  AttentionRecorder all({.statistics = {"map.raw"}, .raw_heads = {{1, 2}}});
  run.generate(all, 3);
  AttentionRecorder named({.statistics = {"map.raw"},
                           .raw_heads = {{1, 2}},
                           .raw_at = IndexRanges::of(std::vector<int64_t>{0, 3, 4})});
  run.generate(named, 3);
  const AttentionRecord whole_record = all.record();
  const AttentionRecord rows_record = named.record();
  const NamedArray& whole = whole_record.array("map.raw");
  const NamedArray& rows = rows_record.array("map.raw");
  const auto& steps = rows.axes[1].coordinates[0].values;
  const auto& queries = rows.axes[1].coordinates[1].values;
  // Scales of 1, 4, 12 and 25 tokens.
  EXPECT_EQ(steps, (std::vector<int64_t>{0, 1, 1, 2, 2, 2, 3, 3, 3}));
  EXPECT_EQ(queries, (std::vector<int64_t>{0, 0, 3, 0, 3, 4, 0, 3, 4}));
  for (int64_t row = 0; row < rows.axes[1].size(); ++row) {
    const int64_t place = run.steps[static_cast<size_t>(steps[row])].first_token + queries[row];
    for (int64_t key = 0; key < rows.axes[2].size(); ++key) {
      EXPECT_NEAR(rows.at(0, row, key), whole.at(0, place, key), 1e-5);
    }
  }
}

TEST(AttentionRecorder, RecordsWhatIsChosenAndOnlyWhatTheModelHas) {
  AttentionRun run;
  AttentionRecorder two({.statistics = {"mass.key", "mass.history_top"}});
  run.generate(two, 1);
  EXPECT_EQ(two.record().arrays.size(), 2);
  AttentionRecorder all({});
  run.generate(all, 1);
  EXPECT_EQ(all.record().array("mass.key").values, two.record().array("mass.key").values);
  EXPECT_FALSE(all.record().holds("mass.offset")) << "of next-token models";
  EXPECT_FALSE(all.record().holds("map.raw")) << "no map was asked for";
  EXPECT_TRUE(all.record().holds("variance.query"));
  const auto refusal = [&](const std::vector<std::string>& names) -> std::string {
    AttentionRecorder recorder({.statistics = names});
    try {
      run.generate(recorder, 1);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({"mass.ke"}), testing::HasSubstr("Did you mean 'mass.key'?"));
  EXPECT_THAT(refusal({"sink*", "nothing.*"}), testing::HasSubstr("'nothing.*'"));
  EXPECT_THAT(refusal({"mass.off*"}), testing::HasSubstr("next-token models"));
  EXPECT_THAT(refusal({"key_mass"}), testing::HasSubstr("It is called 'mass.key' now"));
  EXPECT_THAT(refusal({"mass.key", "mass.key"}), testing::HasSubstr("twice"));
  EXPECT_THAT(refusal({"mass.offset"}), testing::HasSubstr("next-token models"));
  EXPECT_THAT(refusal({"map.raw"}), testing::HasSubstr("--raw"));
}

TEST(ObservedStep, GivesNothingThatIsNotDeclared) {
  class Curious : public AttentionObserver {
   public:
    void begin_generation(int64_t /*rows*/) override {}
    void observe(const LayerStep& layer_step) override {
      ObservedStep step(layer_step, 1);
      EXPECT_THROW((void)step.column_sums(0, 0), Error);
      EXPECT_THROW((void)step.step_sums(0, 0), Error);
      EXPECT_THROW(step.visit_rows(4, [](const RowTile&) {}), Error);
      EXPECT_THROW((void)step.last_queries_spread(4), Error);
      EXPECT_THROW((void)step.layer_step(), Error);
      step.grant({.column_sums = true});
      EXPECT_EQ(step.column_sums(0, 0).size(), step.positions(0, 0).size());
    }
  };
  AttentionRun run;
  Curious curious;
  run.generate(curious, 1);
}

TEST(AttentionRecorder, MisuseIsNamed) {
  EXPECT_THROW(AttentionRecorder({.top_keys = 0}), Error);
  AttentionRecorder recorder({.guided = true, .raw_heads = {{3, 0}}});
  EXPECT_THROW(recorder.begin_generation(3), Error) << "guided rows come in pairs";
  EXPECT_THROW(static_cast<void>(recorder.record()), Error) << "nothing recorded";
  AttentionRun run;
  EXPECT_THROW(run.generate(recorder, 1), Error) << "the model has layers 0..2";
  AttentionRecorder other({});
  run.generate(other, 1);
  run.steps = next_scale_steps({{1, 1}, {2, 2}});
  EXPECT_THROW(run.generate(other, 1), Error) << "another schedule";
}

// A next-token model never feeds its last token: the recording is complete one step earlier.
TEST(AttentionRecorder, CountsImagesOfNextTokenModels) {
  const CacheGeometry geometry{
      .layers = 2, .heads = 2, .head_dim = 8, .steps = next_token_steps(4, 5)};
  AttentionRecorder recorder({.guided = true});
  recorder.add_prompts({"a", "b"});
  KvCache cache(full_plan(geometry), 4, at::kCPU);
  cache.set_padding({2, 0, 2, 0});
  recorder.begin_generation(4);
  AttentionContext context{.cache = cache, .observers = {&recorder}};
  for (int64_t index = 0; index <= last_attending_step(geometry.steps); ++index) {
    const StepInfo& step = geometry.steps[static_cast<size_t>(index)];
    for (int64_t layer = 0; layer < 2; ++layer) {
      const auto random = [&] { return at::randn({4, 2, step.queries(), 8}); };
      attend(context, {.step = step,
                       .layer = layer,
                       .q = random(),
                       .k = random(),
                       .v = random(),
                       .softmax_scale = 0.3});
    }
  }
  const AttentionRecord record = recorder.record();
  EXPECT_EQ(record.images, 2);
  // Of the prefill's queries half of the first image's are padding and pay nothing.
  EXPECT_NEAR(mass_of(record, 0, 0, 0, 0), 0.75, kTolerance);
  EXPECT_NEAR(mass_of(record, 1, 1, 3, 0) + mass_of(record, 1, 1, 3, 1) +
                  mass_of(record, 1, 1, 3, 2) + mass_of(record, 1, 1, 3, 3),
              1, kTolerance);
  // Nobody looks at padding: key 0 is real in one image of two, and seen by 4 of its 4 queries.
  EXPECT_LT(key_mass_of(record, 0, 0, 4, 0), 0.5);
}

}  // namespace
}  // namespace kvscope
