// The released ScaleKV code on a tiny Infinity model: the same tokens, the same logits.
#include "golden_scalekv.h"

#include <gtest/gtest.h>

#include "../budgets.h"
#include "../policy_run.h"
#include "policies/replay.h"

namespace kvscope {
namespace {

TEST(GoldenScaleKv, KeepsTheSameTokensAndDrawsTheSameLogits) {
  const GoldenScaleKv golden;
  const SafetensorsReader& file = golden.file;
  const CacheGeometry geometry = golden.geometry();
  ConfigNode config = named_policy(std::filesystem::path(kSourceDir) / "configs/policy", "scalekv");
  config.set_path("allocate.budgets", "released_2b");
  const auto policy = make_policy(config);
  KvCache cache(policy->plan(geometry, tokens_at_evictions(650)), 2, at::kCPU);
  Replay replay(*policy, [&](int64_t step, int64_t layer) { return golden.recorded(step, layer); });
  AttentionContext context{.cache = cache, .controller = &replay};
  replay.begin_generation(cache.rows());

  golden.generate(context, [&](const infinity::StepResult& result) {
    const auto name = fmt::format("logits.{}", result.step.index);
    if (file.contains(name)) {
      EXPECT_LT((result.logits - file.tensor(name)).abs().max().item<double>(), 1e-4) << name;
    }
  });

  int64_t identical = 0;
  for (const DecisionComparison& comparison : replay.comparisons()) {
    EXPECT_EQ(comparison.different(), 0)
        << "step " << comparison.step << ", layer " << comparison.layer;
    identical += comparison.identical;
  }
  EXPECT_EQ(replay.comparisons().size(), 24u);
  // Pooled scores come in runs of five equal ones and evictions end among them. Their order under
  // topk can turn on the last bit of another score, hence on the summation order of attention: one
  // of the 192 sets has such a neighbour, two scores that differ by 1e-6 of their size.
  EXPECT_GE(identical, 191);
  // Of the last layer: its keys are computed from what every layer before it kept.
  for (const int64_t layer : {golden.config.depth - 1}) {
    const at::Tensor expected = file.tensor(fmt::format("cache.k.{}", layer));
    for (int64_t slot = 0; slot < 2 * golden.config.heads; ++slot) {
      const int64_t row = slot / golden.config.heads;
      const int64_t head = slot % golden.config.heads;
      EXPECT_LT((cache.keys(layer, row, head) - expected[row][head]).abs().max().item<double>(),
                1e-4);
    }
  }
}

}  // namespace
}  // namespace kvscope
