// All layers evict together at the end of a step against one layer after the other.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "core/engine/attend.h"
#include "core/engine/hole_filling.h"
#include "core/engine/kv_memory.h"

namespace kvscope {
namespace {

constexpr int64_t kLayers = 3;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 6;
constexpr int64_t kRows = 2;

/// Keeps random tokens, as many as planned; what it picks hangs on step and layer alone.
class RandomTokens : public CacheController {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    const KvCache& cache = *layer_step.cache;
    std::mt19937 random(static_cast<unsigned>(100 * layer_step.step.index + layer_step.layer));
    KeptIndices kept;
    bool all = true;
    for (int64_t row = 0; row < cache.rows(); ++row) {
      for (int64_t head = 0; head < kHeads; ++head) {
        std::vector<int64_t> tokens(static_cast<size_t>(cache.length(layer_step.layer, row, head) +
                                                        layer_step.step.queries()));
        std::iota(tokens.begin(), tokens.end(), 0);
        const int64_t count = cache.plan().kept(layer_step.step.index, layer_step.layer, head);
        kept.emplace_back();
        std::ranges::sample(tokens, std::back_inserter(kept.back()), count, random);
        all = all && std::cmp_equal(tokens.size(), count);
      }
    }
    if (all) return std::nullopt;
    return cache.keeps_order() ? kept : hole_filling(std::move(kept));
  }
};

struct Case {
  const char* name;
  std::vector<StepInfo> steps;
  CountScope scope = CountScope::kHead;
  TokenFormat format{};
  std::vector<int64_t> padding{};
};

std::vector<Case> cases() {
  const auto scales = next_scale_steps({{1, 1}, {2, 2}, {2, 3}, {4, 3}, {4, 4}});
  const auto tokens = next_token_steps(5, 12);
  const SideFormat byte{.bits = 8, .group = kHeadDim, .scale_type = at::kFloat};
  return {{.name = "scales", .steps = scales},
          {.name = "tokens", .steps = tokens},
          {.name = "heads share", .steps = tokens, .scope = CountScope::kLayer},
          {.name = "packed", .steps = scales, .format = {.keys = byte, .values = byte}},
          {.name = "padded", .steps = tokens, .padding = {3, 0}}};
}

/// Layer 1 keeps everything for longer than the others; heads hold the same where they share.
Plan plan(const Case& c) {
  CacheGeometry geometry{
      .layers = kLayers, .heads = kHeads, .head_dim = kHeadDim, .steps = c.steps};
  geometry.format = c.format;
  std::vector<LayerHeadTokens> kept;
  std::vector<std::vector<int64_t>> held(kLayers, std::vector<int64_t>(kHeads, 0));
  for (const StepInfo& step : c.steps) {
    for (int64_t layer = 0; step.stored && layer < kLayers; ++layer) {
      for (int64_t head = 0; head < kHeads; ++head) {
        int64_t& count = held[static_cast<size_t>(layer)][static_cast<size_t>(head)];
        const int64_t uneven = c.scope == CountScope::kHead ? head : 0;
        count = std::min(count + step.queries(), (layer == 1 ? 11 : 6) + uneven);
      }
    }
    kept.push_back(held);
  }
  return {geometry, kept, c.scope};
}

/// A generation through the cache that is handed out; `after` looks after every step.
struct Generation {
  KvCache cache;
  RandomTokens controller;
  AttentionContext context;

  Generation(const Case& c, EvictionTiming timing)
      : cache(plan(c), kRows, at::kCPU),
        context{.cache = cache, .controller = &controller, .eviction_timing = timing} {
    if (!c.padding.empty()) cache.set_padding(c.padding);
  }

  at::Tensor layer(const StepInfo& step, int64_t layer) {
    auto generator =
        at::detail::createCPUGenerator(static_cast<uint64_t>(1000 * step.index + layer));
    const auto rows = [&] {
      return at::randn({kRows, kHeads, step.queries(), kHeadDim}, generator);
    };
    const at::Tensor q = rows();
    const at::Tensor k = rows();
    return attend(context, {.step = step,
                            .layer = layer,
                            .q = q,
                            .k = k,
                            .v = rows(),
                            .softmax_scale = 0.5,
                            .hidden = q,
                            .query_weight = q});
  }
};

void expect_same_caches(const KvCache& a, const KvCache& b) {
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    for (int64_t slot = 0; slot < kRows * kHeads; ++slot) {
      const int64_t row = slot / kHeads;
      const int64_t head = slot % kHeads;
      ASSERT_TRUE(at::equal(a.keys(layer, row, head), b.keys(layer, row, head)));
      ASSERT_TRUE(at::equal(a.values(layer, row, head), b.values(layer, row, head)));
      EXPECT_TRUE(std::ranges::equal(a.origins(layer, row, head), b.origins(layer, row, head)));
      EXPECT_EQ(a.padding_length(layer, row, head), b.padding_length(layer, row, head));
    }
  }
}

TEST(EvictionTiming, AllLayersTogetherLeaveWhatOneAfterTheOtherDoes) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Generation each(c, EvictionTiming::kPerLayer);
    Generation together(c, EvictionTiming::kPerStep);
    for (int64_t step = 0; step <= last_attending_step(c.steps); ++step) {
      SCOPED_TRACE(step);
      const StepInfo& info = c.steps[static_cast<size_t>(step)];
      for (int64_t layer = 0; layer < kLayers; ++layer) {
        EXPECT_TRUE(at::equal(each.layer(info, layer), together.layer(info, layer)));
      }
      expect_same_caches(each.cache, together.cache);
      together.cache.audit(step);
    }
    EXPECT_LE(together.cache.peak_live_bytes(), each.cache.peak_live_bytes());
  }
}

TEST(EvictionTiming, ThePeakIsTheClosedForm) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    for (const EvictionTiming timing : {EvictionTiming::kPerLayer, EvictionTiming::kPerStep}) {
      Generation run(c, timing);
      for (int64_t step = 0; step <= last_attending_step(c.steps); ++step) {
        for (int64_t layer = 0; layer < kLayers; ++layer) {
          run.layer(c.steps[static_cast<size_t>(step)], layer);
        }
      }
      EXPECT_EQ(run.context.kv_peak_bytes,
                peak_kv_bytes(plan(c), kRows, {.eviction_timing = timing}));
      EXPECT_EQ(run.cache.peak_live_bytes(), plan(c).peak_live_bytes(kRows, timing));
    }
  }
}

TEST(EvictionTiming, TogetherWaitForTheStepOfAllLayers) {
  const Plan same = plan({.name = "a prompt of one token", .steps = next_token_steps(1, 12)});
  const int64_t one_layer = step_bytes(same.geometry(), same.geometry().steps.back(), kRows);
  // The most is held at the end, where a token of every layer waits beside that of the last one.
  EXPECT_EQ(peak_kv_bytes(same, kRows, {.eviction_timing = EvictionTiming::kPerStep}),
            same.live_bytes(11, kRows) + (kLayers + 1) * one_layer);
  EXPECT_EQ(peak_kv_bytes(same, kRows), same.live_bytes(11, kRows) + one_layer);
}

TEST(EvictionTiming, ALayerOutOfOrderIsRefusedAndANewStepBeginsAnew) {
  const Case tokens = cases()[1];
  Generation run(tokens, EvictionTiming::kPerStep);
  run.layer(tokens.steps[0], 0);
  try {
    run.layer(tokens.steps[0], 2);
    FAIL() << "stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kAudit);
    EXPECT_THAT(error.what(), testing::HasSubstr("step 0: layer 2 attends after 1 layers"));
  }
  EXPECT_EQ(run.cache.live_bytes(), 0) << "nothing is stored before the last layer";
  for (int64_t layer = 0; layer < kLayers; ++layer) run.layer(tokens.steps[0], layer);
  run.cache.audit(0);
}

}  // namespace
}  // namespace kvscope
