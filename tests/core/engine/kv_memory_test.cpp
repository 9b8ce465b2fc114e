// The closed form of the peak against the peak that attention counts.
#include "core/engine/kv_memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/engine/attend.h"

namespace kvscope {
namespace {

/// Keeps the first tokens, as many as planned.
class KeepFirst : public CacheController {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    const KvCache& cache = *layer_step.cache;
    KeptIndices kept;
    for (int64_t row = 0; row < cache.rows(); ++row) {
      for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
        const int64_t count = cache.plan().kept(layer_step.step.index, layer_step.layer, head);
        kept.emplace_back();
        for (int64_t token = 0; token < count; ++token) kept.back().push_back(token);
      }
    }
    return kept;
  }
};

CacheGeometry geometry(std::vector<StepInfo> steps) {
  return {.layers = 3,
          .heads = 2,
          .head_dim = 8,
          .key_type = at::kFloat,
          .value_type = at::kBFloat16,
          .steps = std::move(steps)};
}

/// Unequal counts: layer 0 keeps much late, layer 2 much early.
Plan uneven_plan(const CacheGeometry& geometry) {
  std::vector<LayerHeadTokens> kept;
  std::vector<std::vector<int64_t>> held(3, std::vector<int64_t>(2, 0));
  const auto steps = static_cast<int64_t>(geometry.steps.size());
  for (const StepInfo& step : geometry.steps) {
    for (int64_t layer = 0; step.stored && layer < 3; ++layer) {
      for (int64_t head = 0; head < 2; ++head) {
        const int64_t most = layer == 0 ? 3 + 2 * step.index + head
                                        : (layer == 1 ? 7 : 3 + 2 * (steps - step.index));
        auto& count = held[static_cast<size_t>(layer)][static_cast<size_t>(head)];
        count = std::min(count + step.queries(), most);
      }
    }
    kept.push_back(held);
  }
  return {geometry, kept};
}

int64_t counted_peak(const Plan& plan, int64_t rows, at::ScalarType step_type) {
  KvCache cache(plan, rows, at::kCPU);
  KeepFirst controller;
  AttentionContext context{.cache = cache, .controller = &controller};
  const CacheGeometry& geometry = plan.geometry();
  for (int64_t step = 0; step <= last_attending_step(geometry.steps); ++step) {
    const StepInfo& info = geometry.steps[static_cast<size_t>(step)];
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      const at::Tensor x =
          at::ones({rows, geometry.heads, info.queries(), geometry.head_dim}, step_type);
      attend(context, {.step = info,
                       .layer = layer,
                       .q = x,
                       .k = x,
                       .v = x,
                       .softmax_scale = 1.0,
                       .hidden = x,
                       .query_weight = x});
    }
    cache.audit(step);
  }
  return context.kv_peak_bytes;
}

TEST(KvMemory, TheClosedFormIsWhatAGenerationCounts) {
  for (const auto& steps : {next_scale_steps({{1, 1}, {2, 2}, {3, 5}, {4, 4}, {6, 6}}),
                            next_token_steps(11, 9), next_scale_steps({{4, 4}})}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      for (const int64_t rows : {1, 3}) {
        CacheGeometry shape = geometry(steps);
        shape.step_type = type;
        for (const Plan& plan : {full_plan(shape), uneven_plan(shape)}) {
          EXPECT_EQ(counted_peak(plan, rows, type), peak_kv_bytes(plan, rows));
        }
      }
    }
  }
}

TEST(KvMemory, OfOneScaleIsTheUncutStepOfALayer) {
  // 16 tokens x 2 heads x 8 channels x K and V in fp32, 3 rows; nothing is ever stored
  EXPECT_EQ(peak_kv_bytes(full_plan(geometry(next_scale_steps({{4, 4}}))), 3),
            16 * 2 * 8 * 2 * 4 * 3);
}

TEST(KvMemory, TurnedKeysAreACopyOfALayersKeys) {
  const Plan plan = full_plan(geometry(next_token_steps(11, 9)));
  const int64_t step = 2 * 8 * 2 * 4;
  const int64_t token = 2 * 8 * (4 + 2);
  // While the last layer attends in the last step, all but one token of its own are there.
  EXPECT_EQ(peak_kv_bytes(plan, 1), 3 * 19 * token + step);
  EXPECT_EQ(peak_kv_bytes(plan, 1, {.turned_keys = true}),
            (3 * 19 - 1) * token + step + step / 2 + 19 * 2 * 8 * 4);
}

TEST(KvMemory, AStepThatSeesPartOfAHistorySeesACopy) {
  const Plan plan = full_plan(geometry(next_token_steps(11, 9)));
  const int64_t step = 2 * 8 * 2 * 4;
  const int64_t token = 2 * 8 * (4 + 2);
  const auto six_in_layer_0 = [](const StepInfo& at, int64_t layer) -> std::optional<int64_t> {
    if (at.index != 8 || layer != 0) return std::nullopt;
    return 2 * 6;
  };
  // In the last attending step, layer 0: the others hold as much as before, 18 tokens of 2 heads.
  EXPECT_EQ(peak_kv_bytes(plan, 1, {.copied_tokens = six_in_layer_0}),
            std::max(3 * 18 * token + step + 6 * token, 3 * 19 * token + step));
  EXPECT_GT(peak_kv_bytes(plan, 1, {.copied_tokens = six_in_layer_0}), peak_kv_bytes(plan, 1));
}

}  // namespace
}  // namespace kvscope
