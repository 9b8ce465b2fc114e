#include "core/engine/kv_cache.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 2;
constexpr int64_t kHeads = 3;
constexpr int64_t kHeadDim = 5;

CacheGeometry geometry(at::ScalarType value_type = at::kFloat) {
  return {.layers = 2,
          .heads = kHeads,
          .head_dim = kHeadDim,
          .key_type = at::kFloat,
          .value_type = value_type,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {3, 4}, {4, 4}})};
}

at::Tensor random_rows(const StepInfo& step) {
  return at::randn({kRows, kHeads, step.queries(), kHeadDim});
}

std::string audit_message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kAudit);
    return error.what();
  }
  return "nothing thrown";
}

/// What the cache should hold, by concatenation and selection.
struct NaiveSlot {
  at::Tensor k = at::empty({0, kHeadDim});
  at::Tensor v = at::empty({0, kHeadDim});
  std::vector<TokenOrigin> origins;

  void keep(const StepInfo& step,
            const at::Tensor& new_k,
            const at::Tensor& new_v,
            const std::vector<int64_t>& kept) {
    for (int32_t token = 0; token < step.queries(); ++token) {
      origins.push_back({static_cast<int32_t>(step.index), token});
    }
    const at::Tensor index = at::tensor(kept, at::kLong);
    k = at::cat({k, new_k}).index_select(0, index);
    v = at::cat({v, new_v}).index_select(0, index);
    std::vector<TokenOrigin> selected;
    for (const int64_t i : kept) selected.push_back(origins[i]);
    origins = selected;
  }
};

TEST(KvCache, KeepsWhatConcatenationAndSelectionKeep) {
  std::mt19937 random(5);
  const CacheGeometry shape = geometry();
  // Every head its own count after every step, growing and shrinking.
  const std::vector<LayerHeadTokens> counts{{{1, 0, 1}, {1, 1, 1}},
                                            {{5, 3, 2}, {0, 5, 4}},
                                            {{6, 12, 2}, {9, 1, 13}},
                                            {{18, 3, 14}, {4, 13, 5}},
                                            {{18, 3, 14}, {4, 13, 5}}};
  KvCache cache(Plan(shape, counts), kRows, at::kCPU);
  const void* arena = cache.history(0).keys.const_data_ptr();
  const int64_t allocated = cache.allocated_bytes();
  EXPECT_EQ(allocated, cache.plan().arena_bytes(kRows));

  for (int generation = 0; generation < 3; ++generation) {
    cache.clear();
    std::vector<NaiveSlot> naive(2 * kRows * kHeads);
    for (const StepInfo& step : shape.steps) {
      for (int64_t layer = 0; layer < 2 && step.stored; ++layer) {
        const at::Tensor k = random_rows(step);
        const at::Tensor v = random_rows(step);
        KeptIndices kept;
        for (int64_t i = 0; i < kRows * kHeads; ++i) {
          const int64_t held = cache.length(layer, i / kHeads, i % kHeads);
          std::vector<int64_t> all(held + step.queries());
          std::iota(all.begin(), all.end(), 0);
          std::shuffle(all.begin(), all.end(), random);
          all.resize(counts[step.index][layer][i % kHeads]);
          std::sort(all.begin(), all.end());
          naive[layer * kRows * kHeads + i].keep(step, k[i / kHeads][i % kHeads],
                                                 v[i / kHeads][i % kHeads], all);
          kept.push_back(all);
        }
        cache.keep(layer, step, k, v, kept);
      }
      cache.audit(step.index);
      EXPECT_EQ(cache.live_bytes(), cache.plan().live_bytes(step.index, kRows));
    }
    for (int64_t layer = 0; layer < 2; ++layer) {
      for (int64_t row = 0; row < kRows; ++row) {
        for (int64_t head = 0; head < kHeads; ++head) {
          const NaiveSlot& expected = naive[(layer * kRows + row) * kHeads + head];
          EXPECT_TRUE(at::equal(cache.keys(layer, row, head), expected.k));
          EXPECT_TRUE(at::equal(cache.values(layer, row, head), expected.v));
          const auto origins = cache.origins(layer, row, head);
          EXPECT_EQ(std::vector(origins.begin(), origins.end()), expected.origins);
        }
      }
    }
    EXPECT_EQ(cache.peak_live_bytes(), cache.plan().peak_live_bytes(kRows));
    EXPECT_EQ(cache.history(0).keys.const_data_ptr(), arena) << "the arena moved";
    EXPECT_EQ(cache.allocated_bytes(), allocated);
  }
}

TEST(KvCache, AppendConcatenatesAndRoundsToTheCacheType) {
  const CacheGeometry shape = geometry(at::kBFloat16);
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  std::vector<at::Tensor> ks, vs;
  for (const StepInfo& step : shape.steps) {
    if (!step.stored) continue;
    ks.push_back(random_rows(step));
    vs.push_back(random_rows(step));
    for (int64_t layer = 0; layer < 2; ++layer) cache.append(layer, step, ks.back(), vs.back());
    cache.audit(step.index);
  }
  const at::Tensor k = at::cat(ks, 2);
  const at::Tensor v = at::cat(vs, 2).to(at::kBFloat16);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t head = 0; head < kHeads; ++head) {
      EXPECT_TRUE(at::equal(cache.keys(1, row, head), k[row][head]));
      EXPECT_TRUE(at::equal(cache.values(1, row, head), v[row][head]));
      EXPECT_EQ(cache.origins(1, row, head)[3], (TokenOrigin{1, 2}));
    }
  }
  EXPECT_EQ(cache.live_bytes(), 2 * kRows * kHeads * 26 * kHeadDim * 6);
}

TEST(KvCache, AuditNamesTheFirstDifference) {
  const CacheGeometry shape = geometry();
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  const StepInfo& step = shape.steps[0];
  cache.append(0, step, random_rows(step), random_rows(step));
  EXPECT_THAT(audit_message([&] { cache.audit(0); }),
              HasSubstr("step 0, layer 1, head 0 (row 0): 0 tokens kept, 1 planned"));
}

TEST(KvCache, WrongIndicesAreNamed) {
  const CacheGeometry shape = geometry();
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  const StepInfo& step = shape.steps[1];
  const at::Tensor k = random_rows(step);
  const auto message = [&](const std::vector<int64_t>& last) {
    KeptIndices kept(kRows * kHeads, {0, 1});
    kept.back() = last;
    return audit_message([&] { cache.keep(1, step, k, k, kept); });
  };
  EXPECT_THAT(message({0, 4}),
              HasSubstr("step 1, layer 1, row 1, head 2: kept index 4 is outside [0, 4)"));
  EXPECT_THAT(message({-1}), HasSubstr("kept index -1"));
  EXPECT_THAT(message({2, 0}), HasSubstr("kept index 0 follows 2"));
  EXPECT_THAT(message({2, 2}), HasSubstr("kept index 2 follows 2"));
  EXPECT_THAT(audit_message([&] { cache.keep(1, step, k, k, {{0}}); }), HasSubstr("1 (row, head)"));
  EXPECT_EQ(cache.live_bytes(), 0) << "a refused step must leave the cache as it was";
}

TEST(KvCache, CapacityIsNeverExceeded) {
  CacheGeometry shape = geometry();
  shape.layers = 1;
  const std::vector<std::vector<int64_t>> one{{1, 1, 1}};
  KvCache cache(Plan(shape, {one, one, one, one, one}), kRows, at::kCPU);
  const StepInfo& step = shape.steps[1];
  const at::Tensor k = random_rows(step);
  EXPECT_THAT(audit_message([&] { cache.append(0, step, k, k); }),
              HasSubstr("0 cached + 4 new tokens exceed the planned capacity of 1"));
  const KeptIndices kept(kRows * kHeads, {0, 1});
  EXPECT_THAT(audit_message([&] { cache.keep(0, step, k, k, kept); }),
              HasSubstr("2 kept tokens exceed the planned capacity of 1"));
}

TEST(KvCache, ShapesOfAnotherStepAreRefused) {
  const CacheGeometry shape = geometry();
  KvCache cache(full_plan(shape), kRows, at::kCPU);
  const at::Tensor k = random_rows(shape.steps[2]);
  EXPECT_THAT(audit_message([&] { cache.append(0, shape.steps[1], k, k); }),
              HasSubstr("k has shape [2, 3, 9, 5], expected [rows, heads, queries, head_dim] = "
                        "[2, 3, 4, 5]"));
}

TEST(KvCache, AnArenaThatCannotBeHadSaysHowManyBytes) {
  CacheGeometry shape = geometry();
  shape.head_dim = int64_t{1} << 50;
  try {
    const KvCache cache(full_plan(shape), kRows, at::kCPU);
    FAIL() << "2^50 channels were allocated";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), HasSubstr("bytes"));
  }
}

}  // namespace
}  // namespace kvscope
