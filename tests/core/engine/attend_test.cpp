#include "core/engine/attend.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kRows = 2;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 8;

CacheGeometry geometry() {
  return {.layers = 1,
          .heads = kHeads,
          .head_dim = kHeadDim,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}})};
}

/// Keeps the newest tokens up to the plan's count.
class KeepNewest : public CacheController {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  std::optional<KeptIndices> decide(const LayerStep& s) override {
    ++decisions;
    KeptIndices kept;
    for (int64_t i = 0; i < kRows * kHeads; ++i) {
      const int64_t held = s.cache->length(s.layer, i / kHeads, i % kHeads);
      const int64_t all = held + s.step.queries();
      const int64_t count = s.cache->plan().kept(s.step.index, s.layer, i % kHeads);
      kept.emplace_back();
      for (int64_t j = all - count; j < all; ++j) kept.back().push_back(j);
    }
    return kept;
  }
  int decisions = 0;
};

class Witness : public AttentionObserver {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  void observe(const LayerStep& s) override {
    ++steps;
    history_tokens.push_back(s.cache->length(0, 0, 0));
    lse_sizes = s.lse.sizes().vec();
  }
  int steps = 0;
  std::vector<int64_t> history_tokens;
  std::vector<int64_t> lse_sizes;
};

TEST(Attend, FullCacheEqualsDenseAttentionOverEverything) {
  KvCache cache(full_plan(geometry()), kRows, at::kCPU);
  AttentionContext context{.cache = cache};
  std::vector<at::Tensor> ks, vs;
  for (const StepInfo& step : geometry().steps) {
    const auto random = [&] { return at::randn({kRows, kHeads, step.queries(), kHeadDim}); };
    const at::Tensor q = random();
    ks.push_back(random());
    vs.push_back(random());
    const at::Tensor out = attend(
        context,
        {.step = step, .layer = 0, .q = q, .k = ks.back(), .v = vs.back(), .softmax_scale = 0.5});
    const at::Tensor dense = at::matmul(
        at::softmax(at::matmul(q, at::cat(ks, 2).transpose(2, 3)) * 0.5, -1), at::cat(vs, 2));
    EXPECT_LT((out - dense).abs().max().item<float>(), 1e-5);
    cache.audit(step.index);
  }
  EXPECT_GT(context.attention_clock.total_ms(), 0);
  EXPECT_GT(context.policy_clock.total_ms(), 0);
  EXPECT_EQ(cache.length(0, 1, 1), 5) << "the last scale is not stored";
}

TEST(Attend, QueryHeadsOfAGroupReadOneHeadWhateverPadsTheRows) {
  CacheGeometry grouped{.layers = 1,
                        .heads = kHeads,
                        .head_dim = kHeadDim,
                        .steps = next_token_steps(5, 4),
                        .query_heads = 3 * kHeads};
  const Plan plan = full_plan(grouped);
  EXPECT_EQ(plan.arena_bytes(1),
            full_plan({.layers = 1, .heads = kHeads, .head_dim = kHeadDim, .steps = grouped.steps})
                .arena_bytes(1))
      << "queries are not stored";
  KvCache cache(plan, kRows, at::kCPU);
  cache.set_padding({0, 2});
  AttentionContext context{.cache = cache};
  std::vector<at::Tensor> ks, vs;
  for (const StepInfo& step : grouped.steps) {
    const auto random = [&](int64_t heads) {
      return at::randn({kRows, heads, step.queries(), kHeadDim});
    };
    const at::Tensor q = random(3 * kHeads);
    ks.push_back(random(kHeads));
    vs.push_back(random(kHeads));
    const at::Tensor out = attend(
        context,
        {.step = step, .layer = 0, .q = q, .k = ks.back(), .v = vs.back(), .softmax_scale = 0.5});
    const at::Tensor keys = at::cat(ks, 2);
    const at::Tensor values = at::cat(vs, 2);
    for (int64_t head = 0; head < 3 * kHeads; ++head) {
      for (int64_t row = 0; row < kRows; ++row) {
        for (int64_t i = 0; i < step.queries(); ++i) {
          const int64_t own = step.first_token + i;
          const int64_t first = own < 2 * row ? own : 2 * row;  // padding sees itself
          const auto seen = [&](const at::Tensor& x) {
            return x[row][head / 3].slice(0, first, own + 1);
          };
          const at::Tensor weights = at::softmax(at::matmul(seen(keys), q[row][head][i]) * 0.5, 0);
          const at::Tensor expected = at::matmul(weights, seen(values));
          EXPECT_LT((out[row][head][i] - expected).abs().max().item<float>(), 1e-5)
              << "step " << step.index << ", row " << row << ", query head " << head;
        }
      }
    }
  }
}

TEST(Attend, QueriesOfOtherHeadsThanPlannedAreRefused) {
  KvCache cache(full_plan(geometry()), kRows, at::kCPU);
  AttentionContext context{.cache = cache};
  const at::Tensor q = at::randn({kRows, 2 * kHeads, 1, kHeadDim});
  const at::Tensor k = at::randn({kRows, kHeads, 1, kHeadDim});
  EXPECT_THROW(
      attend(
          context,
          {.step = geometry().steps[0], .layer = 0, .q = q, .k = k, .v = k, .softmax_scale = 0.5}),
      Error);
}

TEST(Attend, ControllerKeepsAndObserverSeesTheHistoryBefore) {
  const Plan plan(geometry(), {{{1, 1}}, {{3, 2}}, {{3, 2}}});
  KvCache cache(plan, kRows, at::kCPU);
  KeepNewest controller;
  Witness witness;
  AttentionContext context{.cache = cache, .controller = &controller, .observers = {&witness}};
  at::Tensor last_k;
  for (const StepInfo& step : geometry().steps) {
    const auto random = [&] { return at::randn({kRows, kHeads, step.queries(), kHeadDim}); };
    const at::Tensor k = random();
    if (step.stored) last_k = k;
    attend(context,
           {.step = step, .layer = 0, .q = random(), .k = k, .v = random(), .softmax_scale = 1.0});
    cache.audit(step.index);
  }
  EXPECT_EQ(controller.decisions, 2) << "a step that is not stored is never offered";
  EXPECT_EQ(witness.steps, 3);
  EXPECT_EQ(witness.history_tokens, (std::vector<int64_t>{0, 1, 3}));
  EXPECT_EQ(witness.lse_sizes, (std::vector<int64_t>{kRows, kHeads, 9}));
  EXPECT_TRUE(at::equal(cache.keys(0, 1, 0), last_k[1][0].slice(0, 1)));
  EXPECT_TRUE(at::equal(cache.keys(0, 1, 1), last_k[1][1].slice(0, 2)));
}

TEST(BeginGeneration, SeedsTellRowsApartWhateverTheirBatch) {
  const CacheGeometry geometry{
      .layers = 1, .heads = 1, .head_dim = 2, .steps = next_token_steps(2, 3)};
  const auto seeds_of = [&](const std::vector<uint64_t>& images, int64_t rows) {
    std::vector<at::Generator> generators;
    for (const uint64_t image : images) {
      generators.push_back(at::detail::createCPUGenerator(image));
    }
    KvCache cache(full_plan(geometry), rows, at::kCPU);
    AttentionContext context{.cache = cache};
    begin_generation(context, generators);
    return context.row_seeds;
  };
  const auto three = seeds_of({8, 9, 10}, 6);  // guided: conditional rows, then the others
  const auto one = seeds_of({9}, 2);
  EXPECT_EQ(one[0], three[1]);
  EXPECT_EQ(one[1], three[4]);
  EXPECT_EQ(std::set<uint64_t>(three.begin(), three.end()).size(), 6);
  EXPECT_EQ(seeds_of({9}, 1)[0], one[0]);
  EXPECT_EQ(seeds_of({}, 2), std::vector<uint64_t>{});

  KvCache cache(full_plan(geometry), 2, at::kCPU);
  AttentionContext context{.cache = cache, .row_seeds = {1, 2, 3}};
  const at::Tensor x = at::ones({2, 1, 2, 2});
  EXPECT_THROW(attend(context, {.step = geometry.steps[0], .q = x, .k = x, .v = x}), Error);
  begin_generation(context, {});
  EXPECT_EQ(LayerStep{}.row_seed(1), 0);
}

}  // namespace
}  // namespace kvscope
