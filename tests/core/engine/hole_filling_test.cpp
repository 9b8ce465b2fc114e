#include "core/engine/hole_filling.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(HoleFilling, LeavesWhatStaysAndPutsTheFirstOfTheRestIntoTheFirstHole) {
  const KeptIndices kept{{0, 1, 2}, {1, 2, 3}, {0, 2, 5, 7, 8}, {4, 5}, {}, {0, 9}};
  const KeptIndices stored{{0, 1, 2}, {3, 1, 2}, {0, 5, 2, 7, 8}, {4, 5}, {}, {0, 9}};
  EXPECT_EQ(hole_filling(kept), stored);
}

TEST(HoleFilling, MovesAsManyRowsAsWereDroppedInFrontOfThem) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<int64_t> all(1 + random() % 40);
    std::iota(all.begin(), all.end(), 0);
    std::vector<int64_t> kept;
    std::ranges::sample(all, std::back_inserter(kept), random() % (all.size() + 1), random);
    const std::vector<int64_t> stored = hole_filling({kept}).front();
    EXPECT_TRUE(fills_holes(stored, std::ssize(all)));
    EXPECT_THAT(stored, testing::UnorderedElementsAreArray(kept));
    const auto dropped_in_front =
        std::ssize(kept) -
        std::ranges::count_if(kept, [&](int64_t token) { return token < std::ssize(kept); });
    int64_t moved = 0;
    for (int64_t index = 0; index < std::ssize(stored); ++index) moved += stored[index] != index;
    EXPECT_EQ(moved, dropped_in_front);
  }
}

TEST(HoleFilling, KnowsItsForm) {
  EXPECT_TRUE(fills_holes(std::vector<int64_t>{3, 1, 2}, 4));
  EXPECT_FALSE(fills_holes(std::vector<int64_t>{1, 2, 3}, 4)) << "row 1 would be overwritten";
  EXPECT_FALSE(fills_holes(std::vector<int64_t>{3, 1, 3}, 4)) << "twice the same";
}

constexpr int64_t kRows = 2;
constexpr int64_t kHeads = 2;

/// A prompt of five and eight single tokens, of which every head keeps six at most.
Plan plan(CountScope scope = CountScope::kHead) {
  const CacheGeometry geometry{
      .layers = 1, .heads = kHeads, .head_dim = 3, .steps = next_token_steps(5, 9)};
  std::vector<LayerHeadTokens> counts;
  for (const StepInfo& step : geometry.steps) {
    counts.emplace_back(1, kHeads, std::min<int64_t>(6, 5 + step.index));
  }
  return Plan(geometry, counts, scope);
}

at::Tensor step_rows(const StepInfo& step) {
  return at::randn({kRows, kHeads, step.queries(), 3});
}

TEST(HoleFilling, OneRowASlotIsWrittenWhereOneTokenGoes) {
  KvCache cache(plan(), kRows, at::kCPU);
  ASSERT_FALSE(cache.keeps_order());
  const auto& steps = cache.plan().geometry().steps;
  for (const StepInfo& step : steps) {
    if (!step.stored) break;
    const at::Tensor k = step_rows(step);
    const at::Tensor v = step_rows(step);
    if (step.index < 2) {
      cache.append(0, step, k, v);
      continue;
    }
    const at::Tensor before = cache.keys(0, 1, 1).clone();
    cache.keep(0, step, k, v, hole_filling(KeptIndices(kRows * kHeads, {0, 2, 3, 4, 5, 6})));
    at::Tensor expected = before;
    expected[1].copy_(k[1][1][0]);
    EXPECT_TRUE(at::equal(cache.keys(0, 1, 1), expected));
    EXPECT_EQ(cache.origins(0, 1, 1)[1], (TokenOrigin{static_cast<int32_t>(step.index), 0}));
    cache.audit(step.index);
  }
}

TEST(HoleFilling, IsRefusedWhereTheCacheKeepsItsOrder) {
  const KeptIndices filled(kRows * kHeads, {0, 6, 2, 3, 4, 5});
  KvCache sharing(plan(CountScope::kLayer), kRows, at::kCPU);
  KvCache padded(plan(), kRows, at::kCPU);
  padded.set_padding({2, 0});
  for (KvCache* cache : {&sharing, &padded}) {
    EXPECT_TRUE(cache->keeps_order());
    const auto& steps = cache->plan().geometry().steps;
    cache->append(0, steps[0], step_rows(steps[0]), step_rows(steps[0]));
    cache->append(0, steps[1], step_rows(steps[1]), step_rows(steps[1]));
    try {
      cache->keep(0, steps[2], step_rows(steps[2]), step_rows(steps[2]), filled);
      FAIL() << "kept";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kAudit);
      EXPECT_THAT(error.what(), testing::HasSubstr("kept index 2 follows 6, expected strictly"));
    }
  }
}

}  // namespace
}  // namespace kvscope
