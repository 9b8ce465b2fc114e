// Where image tokens look, against loops over everything that a naive observer saw.
#include <gtest/gtest.h>

#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

constexpr int64_t kText = 5;
constexpr int64_t kLine = 6;
constexpr int64_t kImageTokens = 4 * kLine + 2;  // the fifth line is not whole

void check(bool drops) {
  AttentionRun run{.drops = drops, .line_tokens = kLine};
  run.steps = next_token_steps(kText, kImageTokens);
  AttentionRecorder recorder({.guided = true, .statistics = {"mass.offset", "mass.condition"}});
  std::vector<double> offsets(static_cast<size_t>(run.layers * run.heads * 5 * (2 * kLine - 1)));
  std::vector<double> back(static_cast<size_t>(run.layers * run.heads * (kText + kImageTokens)));
  double queries = 0;  // of a layer and head
  for (const uint64_t seed : {3, 4}) {
    run.generate(recorder, seed);
    for (int64_t step = 1; step <= last_attending_step(run.steps); ++step) {
      queries += 2;
      const int64_t own = run.steps[step].first_token;
      for (int64_t layer = 0; layer < run.layers; ++layer) {
        const at::Tensor weights = run.weights[step][layer].contiguous();
        const auto weight = weights.accessor<double, 4>();
        for (int64_t image = 0; image < 2; ++image) {
          for (int64_t head = 0; head < run.heads; ++head) {
            const int64_t pair = layer * run.heads + head;
            for (int64_t key = 0; key <= own; ++key) {
              const double mass = weight[image][head][0][key];
              if (key < kText) {
                back[pair * (kText + kImageTokens) + own - key] += mass;
                continue;
              }
              const int64_t above = (own - kText) / kLine - (key - kText) / kLine;
              const int64_t beside = (key - kText) % kLine - (own - kText) % kLine;
              offsets[(pair * 5 + above) * (2 * kLine - 1) + beside + kLine - 1] += mass;
            }
          }
        }
      }
    }
  }
  const AttentionRecord record = recorder.record();
  const NamedArray& found = record.array("mass.offset");
  EXPECT_EQ(found.shape(), (std::vector<int64_t>{run.layers, run.heads, 5, 2 * kLine - 1}));
  EXPECT_EQ(found.axes[3].coordinates[0].values.front(), 1 - kLine);
  ASSERT_EQ(found.values.size(), offsets.size());
  for (size_t i = 0; i < offsets.size(); ++i) {
    EXPECT_NEAR(found.values[i], offsets[i] / queries, 1e-6) << i;
  }
  const std::vector<double>& condition = record.array("mass.condition").values;
  ASSERT_EQ(condition.size(), back.size());
  for (size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(condition[i], back[i] / queries, 1e-6) << i;
}

TEST(OffsetMass, EqualsItsDefinition) {
  check(false);
}

TEST(OffsetMass, DroppedTokensReceiveNothing) {
  check(true);
}

}  // namespace
}  // namespace kvscope
