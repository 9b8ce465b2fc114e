// The remembered queries against plain double loops: across steps, evictions, ragged heads and
// padding.
#include "policies/signals/recent_queries.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "../policy_run.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kScale = 0.7;
constexpr double kUnseen = -std::numeric_limits<double>::infinity();

using Inputs = std::map<int64_t, LayerInputs>;  // by step

/// Watches every step, checks what is remembered, keeps random tokens.
class RecentCheck : public CacheController {
 public:
  RecentCheck(RecentQueries& queries, const Inputs& inputs, std::vector<int64_t> windows)
      : queries_(queries), inputs_(inputs), windows_(std::move(windows)) {}
  void begin_generation(int64_t) override { queries_.begin_generation(); }

  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    queries_.observe(layer_step);
    for (const int64_t window : windows_) check(layer_step, window);
    KeptIndices kept;
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        std::vector<int64_t> all(static_cast<std::size_t>(
            layer_step.cache->length(layer_step.layer, row, head) + layer_step.step.queries()));
        std::iota(all.begin(), all.end(), 0);
        kept.emplace_back();
        std::sample(all.begin(), all.end(), std::back_inserter(kept.back()),
                    layer_step.cache->plan().kept(layer_step.step.index, layer_step.layer, head),
                    random_);
      }
    }
    return kept;
  }
  int64_t seen = 0;
  int64_t unseen = 0;
  int64_t blind = 0;  // queries that see nothing

 private:
  /// The query or key of a position, from what was fed.
  [[nodiscard]] at::Tensor fed(
      const LayerStep& layer_step, int64_t position, bool query, int64_t row, int64_t head) const {
    for (const StepInfo& step : layer_step.cache->plan().geometry().steps) {
      const int64_t token = position - step.first_token;
      if (token < 0 || token >= step.queries()) continue;
      const LayerInputs& in = inputs_.at(step.index);
      return (query ? in.q : in.k)[row][head][token].to(at::kDouble);
    }
    return {};
  }

  void check(const LayerStep& layer_step, int64_t window) {
    const StepInfo& step = layer_step.step;
    const bool scale = step.kind == StepKind::kScale;
    const int64_t end = step.first_token + step.queries();
    const int64_t first = std::max(scale ? step.first_token : 0, end - window);
    const at::Tensor logits = queries_.logits(layer_step, window).to(at::kDouble);
    const at::Tensor attention = queries_.attention(layer_step, window).to(at::kDouble);
    ASSERT_EQ(logits.size(2), end - first);
    ASSERT_EQ(logits.sizes(), attention.sizes());
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      const int64_t padding = layer_step.cache->padding(row);
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const int64_t tokens =
            layer_step.cache->length(layer_step.layer, row, head) + step.queries();
        for (int64_t position = first; position < end; ++position) {
          const at::Tensor query = fed(layer_step, position, true, row, head);
          std::vector<double> expected(static_cast<std::size_t>(logits.size(3)), kUnseen);
          double total = 0;
          for (int64_t token = 0; token < tokens; ++token) {
            const int64_t key = position_of(layer_step, row, head, token);
            const bool sees = position >= padding && key >= padding && (scale || key <= position);
            (sees ? seen : unseen) += 1;
            if (!sees) continue;
            expected[static_cast<std::size_t>(token)] =
                kScale * (query * fed(layer_step, key, false, row, head)).sum().item<double>();
            total += std::exp(expected[static_cast<std::size_t>(token)]);
          }
          blind += total == 0 ? 1 : 0;
          for (int64_t token = 0; token < logits.size(3); ++token) {
            const double value = expected[static_cast<std::size_t>(token)];
            const std::string where = fmt::format("step {}, row {}, head {}, query {}, token {}",
                                                  step.index, row, head, position, token);
            const double found = logits[row][head][position - first][token].item<double>();
            if (value == kUnseen) {
              EXPECT_EQ(found, value) << where;
            } else {
              EXPECT_NEAR(found, value, 2e-5 * (1 + std::abs(value))) << where;
            }
            EXPECT_NEAR(attention[row][head][position - first][token].item<double>(),
                        total == 0 ? 0.0 : std::exp(value) / total, 2e-5)
                << where;
          }
        }
      }
    }
  }

  RecentQueries& queries_;
  const Inputs& inputs_;
  std::vector<int64_t> windows_;
  std::mt19937 random_{5};
};

struct Seen {
  int64_t seen, unseen, blind, state_bytes;
};

Seen run(const std::vector<StepInfo>& steps,
         const std::vector<std::vector<int64_t>>& kept,
         const std::vector<int64_t>& rows,
         const std::vector<int64_t>& padding) {
  const CacheGeometry geometry{.layers = 1, .heads = 3, .head_dim = 5, .steps = steps};
  std::vector<LayerHeadTokens> counts;
  for (const auto& line : kept) counts.push_back({{line}});
  KvCache cache(Plan(geometry, counts), static_cast<int64_t>(rows.size()), at::kCPU);
  Inputs inputs;
  for (const StepInfo& step : steps) inputs[step.index] = layer_inputs(geometry, step, 0, rows);
  RecentQueries queries(4);
  Seen result{};
  for (int generation = 0; generation < 2; ++generation) {  // the second must not see the first
    cache.clear();
    if (!padding.empty()) cache.set_padding(padding);
    RecentCheck controller(queries, inputs, {1, 3, 4});
    AttentionContext context{.cache = cache, .controller = &controller};
    controller.begin_generation(cache.rows());
    for (const StepInfo& step : steps) {
      const LayerInputs& in = inputs.at(step.index);
      attend(context, in.at(step, 0, kScale));
    }
    result = {controller.seen, controller.unseen, controller.blind, queries.state_bytes()};
  }
  return result;
}

// Prefill of 3, then tokens; heads of different lengths with gaps.
const std::vector<std::vector<int64_t>> kKept = {{3, 2, 1}, {4, 2, 2}, {3, 3, 1},
                                                 {4, 2, 2}, {5, 1, 3}, {5, 1, 3}};

TEST(RecentQueries, LooksBackAcrossTokensAndEvictions) {
  const Seen found = run(next_token_steps(3, 5), kKept, {4, 9}, {});
  EXPECT_GT(found.seen, 300);
  EXPECT_GT(found.unseen, 20);
  EXPECT_EQ(found.state_bytes, 2 * 3 * 4 * 5 * 4);
}

TEST(RecentQueries, PaddingNeitherLooksNorIsSeen) {
  const Seen found = run(next_token_steps(3, 5), kKept, {4, 9, 1}, {0, 2, 1});
  EXPECT_GT(found.blind, 0);
  EXPECT_GT(found.unseen, 50);
}

TEST(RecentQueries, StaysInsideAScale) {
  const Seen found = run(next_scale_steps({{1, 2}, {1, 3}, {3, 3}, {1, 1}, {2, 2}}),
                         {{2, 1, 2}, {4, 2, 5}, {7, 3, 9}, {7, 1, 8}, {7, 1, 8}}, {6}, {});
  EXPECT_EQ(found.unseen, 0);
  EXPECT_GT(found.seen, 100);
}

TEST(RecentQueries, RefusesWhatItDoesNotRemember) {
  EXPECT_THROW(RecentQueries(0), Error);
  RecentQueries queries(2);
  const CacheGeometry geometry{
      .layers = 2, .heads = 1, .head_dim = 4, .steps = next_token_steps(3, 3)};
  const KvCache cache(full_plan(geometry), 1, at::kCPU);
  const LayerInputs in = layer_inputs(geometry, geometry.steps[0], 0, {0});
  LayerStep layer_step{in.at(geometry.steps[0], 1, 1)};
  layer_step.cache = &cache;
  EXPECT_THROW((void)queries.logits(layer_step, 1), Error);
  queries.observe(layer_step);
  EXPECT_EQ(queries.logits(layer_step, 2).size(2), 2);
  EXPECT_THROW((void)queries.logits(layer_step, 3), Error);
  queries.begin_generation();
  EXPECT_THROW((void)queries.logits(layer_step, 1), Error);
}

}  // namespace
}  // namespace kvscope
