// Sparsity and variance of heads against their definitions, on everything a naive observer saw.
#include "analysis/attention/head_sparsity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

constexpr int64_t kText = 5;
constexpr int64_t kLine = 6;

AttentionRun token_run(bool drops) {
  AttentionRun run;
  run.drops = drops;
  run.line_tokens = kLine;
  run.steps = next_token_steps(kText, 4 * kLine + 2);
  return run;
}

bool is_near(int64_t query, int64_t key, const Neighbourhood& near) {
  if (query - key <= near.recent_tokens) return true;
  if (key < kText) return false;
  const int64_t above = (query - kText) / kLine - (key - kText) / kLine;
  const int64_t beside = (key - kText) % kLine - (query - kText) % kLine;
  return above >= 1 && above <= near.lines_above && std::abs(beside) <= near.columns_beside;
}

TEST(HeadSparsity, IsTheShareOutsideAnyNeighbourhood) {
  for (const bool drops : {false, true}) {
    AttentionRun run = token_run(drops);
    AttentionRecorder recorder({.guided = true});
    std::vector<std::vector<std::vector<at::Tensor>>> generations;
    for (const uint64_t seed : {3, 8}) {
      recorder.add_prompts({"a", "b"});
      run.generate(recorder, seed);
      generations.push_back(run.weights);
    }
    const AttentionRecord record = recorder.record();
    EXPECT_EQ(record.array("mass.offset").parameter("line_tokens"), kLine);
    const auto last = static_cast<std::size_t>(last_attending_step(run.steps));
    for (const Neighbourhood& near :
         {Neighbourhood{.recent_tokens = 3}, Neighbourhood{.recent_tokens = 0},
          Neighbourhood{.recent_tokens = 9, .lines_above = 3, .columns_beside = 1},
          Neighbourhood{.recent_tokens = 1, .lines_above = 2, .columns_beside = 0},
          Neighbourhood{.recent_tokens = 100}}) {
      const std::vector<double> sparsity = head_sparsity(record, near);
      for (int64_t layer = 0; layer < run.layers; ++layer) {
        for (int64_t head = 0; head < run.heads; ++head) {
          double far = 0;
          double queries = 0;
          for (const auto& generation : generations) {
            for (std::size_t step = 1; step <= last; ++step) {
              for (int64_t image = 0; image < 2; ++image) {
                const at::Tensor row = generation[step][layer][image][head][0].contiguous();
                const auto* weight = row.const_data_ptr<double>();
                const int64_t query = run.steps[step].first_token;
                for (int64_t key = 0; key <= query; ++key) {
                  if (!is_near(query, key, near)) far += weight[key];
                }
                ++queries;
              }
            }
          }
          EXPECT_NEAR(sparsity[layer * run.heads + head], far / queries, 1e-5)
              << layer << " " << head << " " << near.recent_tokens;
        }
      }
    }
  }
}

TEST(HeadSparsity, SurvivesTheFile) {
  AttentionRun run = token_run(false);
  AttentionRecorder recorder({.guided = false});
  recorder.add_prompts({"a", "b", "c", "d"});
  run.generate(recorder, 1);
  const AttentionRecord record = recorder.record();
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "head_sparsity_test.h5";
  write_attention(path, record);
  const AttentionRecord read = read_attention(path);
  EXPECT_EQ(read.array("mass.offset").parameter("line_tokens"), kLine);
  const Neighbourhood near{.recent_tokens = 4, .lines_above = 1, .columns_beside = 2};
  const std::vector<double> before = head_sparsity(record, near);
  const std::vector<double> after = head_sparsity(read, near);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-5);
  EXPECT_THROW((void)head_variance(read), Error);
}

TEST(HeadSparsity, RefusesNegativeNumbersAndOtherModels) {
  AttentionRun run = token_run(false);
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 1);
  EXPECT_THROW((void)head_sparsity(recorder.record(), {.recent_tokens = -1}), Error);
  AttentionRun scales;
  AttentionRecorder other({.guided = true});
  scales.generate(other, 1);
  EXPECT_THROW((void)head_sparsity(other.record(), {}), Error);
}

TEST(HeadVariance, IsTheVarianceOverQueriesOfTheLastScale) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  std::vector<at::Tensor> last;  // [layers] of [images, heads, queries, keys]
  for (int64_t layer = 0; layer < run.layers; ++layer) last.emplace_back();
  for (const uint64_t seed : {1, 2, 3}) {
    run.generate(recorder, seed);
    for (int64_t layer = 0; layer < run.layers; ++layer) {
      const at::Tensor rows = run.weights.back()[layer].narrow(0, 0, 2);
      last[layer] = last[layer].defined() ? at::cat({last[layer], rows}) : rows;
    }
  }
  const AttentionRecord record = recorder.record();
  const std::vector<double>& variance = head_variance(record);
  for (int64_t layer = 0; layer < run.layers; ++layer) {
    const at::Tensor mean = last[layer].mean(2, true);
    const at::Tensor expected = (last[layer] - mean).pow(2).mean(2).sum(2).mean(0);
    for (int64_t head = 0; head < run.heads; ++head) {
      EXPECT_NEAR(variance[layer * run.heads + head], expected[head].item<double>(), 1e-5);
    }
  }
}

}  // namespace
}  // namespace kvscope
