// Entropy and variance of the last queries' attention against plain double loops.
#include <gtest/gtest.h>

#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

void check(AttentionRun run, int64_t window) {
  const int64_t images = run.rows / 2;
  AttentionRecorder recorder({.guided = true, .window_queries = window});
  std::vector<double> entropy(static_cast<size_t>(run.layers), 0.0);
  std::vector<double> variance(static_cast<size_t>(run.layers), 0.0);
  for (const uint64_t seed : {3U, 4U}) {
    run.generate(recorder, seed);
    const StepInfo& step = run.steps.back();
    const int64_t looking = std::min(window, step.queries());
    const int64_t past = step.first_token + step.queries() - looking;
    for (int64_t layer = 0; layer < run.layers; ++layer) {
      const at::Tensor weights =
          run.weights.back()[static_cast<size_t>(layer)].to(at::kDouble).contiguous();
      const auto value = weights.accessor<double, 4>();
      for (int64_t image = 0; image < images; ++image) {
        for (int64_t head = 0; head < run.heads; ++head) {
          for (int64_t key = 0; key < past; ++key) {
            double sum = 0;
            double squares = 0;
            for (int64_t query = step.queries() - looking; query < step.queries(); ++query) {
              const double a = value[image][head][query][key];
              entropy[static_cast<size_t>(layer)] -= a * std::log(a + 1e-10);
              sum += a;
              squares += a * a;
            }
            if (looking > 1) {
              const auto n = static_cast<double>(looking);
              variance[static_cast<size_t>(layer)] += (squares - sum * sum / n) / (n - 1);
            }
          }
        }
      }
    }
  }
  const AttentionRecord record = recorder.record();
  EXPECT_EQ(record.array("entropy.window").parameter("queries"), window);
  ASSERT_EQ(record.array("entropy.window").shape(), (std::vector<int64_t>{run.layers}));
  ASSERT_EQ(record.array("variance.window").shape(), (std::vector<int64_t>{run.layers}));
  for (size_t layer = 0; layer < entropy.size(); ++layer) {
    const double mean_entropy = entropy[layer] / static_cast<double>(2 * images);
    const double mean_variance = variance[layer] / static_cast<double>(2 * images);
    EXPECT_GT(mean_entropy, 0);
    EXPECT_NEAR(record.array("entropy.window").at(layer), mean_entropy, 1e-5 * mean_entropy);
    EXPECT_NEAR(record.array("variance.window").at(layer), mean_variance, 1e-5 * mean_variance);
  }
}

TEST(WindowSpread, EqualsItsDefinition) {
  check({}, 7);
  check({}, 1);
  check({}, 32);  // more than the last scale has
}

TEST(WindowSpread, DroppedTokensReceiveNothing) {
  check({.drops = true}, 5);
}

}  // namespace
}  // namespace kvscope
