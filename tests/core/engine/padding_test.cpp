// Rows padded on the left: attention and its statistics are those of the rows without their
// padding, under policies that drop tokens too.
#include "core/engine/padding.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"

namespace kvscope {
namespace {

constexpr int64_t kRows = 3;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 10;
constexpr int64_t kPrompt = 7;
constexpr int64_t kTokens = 6;
constexpr double kScale = 0.4;
const std::vector<int64_t> kPadding = {3, 0, 6};

CacheGeometry geometry() {
  return {.layers = 1,
          .heads = kHeads,
          .head_dim = kHeadDim,
          .steps = next_token_steps(kPrompt, kTokens)};
}

/// q, k, v of all positions: [rows, heads, positions, head_dim].
struct Inputs {
  at::Tensor q, k, v;
  Inputs() {
    at::Generator generator = at::detail::createCPUGenerator(3);
    const auto random = [&] {
      return at::randn({kRows, kHeads, kPrompt + kTokens, kHeadDim}, generator);
    };
    q = random();
    k = random() * 2;
    v = random();
    // What nobody sees is loud: one leak shows.
    for (int64_t row = 0; row < kRows; ++row) {
      const int64_t padding = kPadding[static_cast<size_t>(row)];
      k[row].narrow(1, 0, padding).mul_(30);
      v[row].narrow(1, 0, padding).mul_(1000);
    }
  }
  static at::Tensor of(const at::Tensor& all, const StepInfo& step) {
    return all.narrow(2, step.first_token, step.queries());
  }
};

/// Softmax rows in double of one (row, head) and query over the kept positions it sees.
at::Tensor naive_weights(
    const Inputs& in, int64_t row, int64_t head, int64_t query, const std::vector<int64_t>& kept) {
  at::Tensor weights = at::zeros({kPrompt + kTokens}, at::kDouble);
  std::vector<double> scores;
  double sum = 0;
  for (const int64_t key : kept) {
    const double score =
        (in.q[row][head][query].to(at::kDouble) * in.k[row][head][key].to(at::kDouble))
            .sum()
            .item<double>();
    scores.push_back(std::exp(score * kScale));
    sum += scores.back();
  }
  for (size_t i = 0; i < kept.size(); ++i) weights[kept[i]] = scores[i] / sum;
  return weights;
}

/// Leaves out a run of tokens that moves with step, row and head.
class DropSome : public CacheController {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  std::optional<KeptIndices> decide(const LayerStep& s) override {
    KeptIndices kept;
    for (int64_t slot = 0; slot < kRows * kHeads; ++slot) {
      const int64_t available = s.cache->length(0, slot / kHeads, slot % kHeads) + s.step.queries();
      const int64_t count = s.cache->plan().kept(s.step.index, 0, 0);
      std::vector<int64_t>& line = kept.emplace_back();
      const int64_t drop = available - count;
      const int64_t first = drop == 0 ? 0 : (slot + s.step.index) % (count + 1);
      for (int64_t i = 0; i < available; ++i) {
        if (i < first || i >= first + drop) line.push_back(i);
      }
    }
    return kept;
  }
};

/// Compares attention and statistics of every step with the naive ones.
class Oracle : public AttentionObserver {
 public:
  explicit Oracle(const Inputs& in) : in_(in) {}
  void begin_generation(int64_t /*rows*/) override {}
  void observe(const LayerStep& s) override {
    const auto window = static_cast<int64_t>(std::min<int64_t>(s.step.queries(), 4));
    std::vector<int64_t> queries;
    for (int64_t i = 0; i < window; ++i) queries.push_back(s.step.queries() - window + i);
    const bool causal = s.step.kind == StepKind::kPrefill;
    const RaggedRows history = s.cache->history(0);
    const at::Tensor rows = fill_padding(
        attention_rows(s.q, s.lse, history, s.k, kScale, queries, causal), s, window, 0.0);
    const at::Tensor columns =
        fill_padding(column_sum(s.q, s.lse, history, s.k, kScale, causal), s, 1, 0.0);
    const std::vector<int64_t> offsets = column_offsets(history.length, s.step.queries());
    for (int64_t slot = 0; slot < kRows * kHeads; ++slot) {
      const int64_t row = slot / kHeads;
      const int64_t head = slot % kHeads;
      const int64_t padding = kPadding[static_cast<size_t>(row)];
      const std::vector<int64_t> positions = positions_of(s, row, head);
      const int64_t held = s.cache->length(0, row, head);
      at::Tensor sums = at::zeros({static_cast<int64_t>(positions.size())}, at::kDouble);
      for (int64_t query = 0; query < s.step.queries(); ++query) {
        const int64_t position = s.step.first_token + query;
        std::vector<int64_t> seen;
        for (int64_t i = 0; i < held + query + 1; ++i) {
          if (positions[static_cast<size_t>(i)] >= padding) {
            seen.push_back(positions[static_cast<size_t>(i)]);
          }
        }
        const bool real = position >= padding;
        const at::Tensor weights = real ? naive_weights(in_, row, head, position, seen)
                                              .index_select(0, at::tensor(positions, at::kLong))
                                        : at::zeros_like(sums);
        sums += weights;
        if (query >= s.step.queries() - window) {
          const at::Tensor got =
              rows_of_slot(rows, offsets, window, slot)[query - (s.step.queries() - window)];
          EXPECT_LT((got - weights).abs().max().item<double>(), 1e-5)
              << "step " << s.step.index << " slot " << slot << " query " << query;
        }
      }
      const at::Tensor got = columns.narrow(0, offsets[slot], offsets[slot + 1] - offsets[slot]);
      EXPECT_LT((got - sums).abs().max().item<double>(), 1e-5)
          << "step " << s.step.index << " slot " << slot;
    }
    ++observed;
  }
  int64_t observed = 0;

 private:
  const Inputs& in_;
};

// Output of one query from the positions it saw; padding sees itself.
at::Tensor naive_output(
    const Inputs& in, int64_t row, int64_t head, int64_t query, const std::vector<int64_t>& seen) {
  return at::matmul(naive_weights(in, row, head, query, seen), in.v[row][head].to(at::kDouble));
}

void run(const Plan& plan, CacheController* controller) {
  const Inputs in;
  KvCache cache(plan, kRows, at::kCPU);
  cache.set_padding(kPadding);
  Oracle oracle(in);
  AttentionContext context{.cache = cache, .controller = controller, .observers = {&oracle}};
  for (const StepInfo& step : plan.geometry().steps) {
    // The history of every (row, head) before the step.
    std::vector<std::vector<int64_t>> held(kRows * kHeads);
    for (int64_t slot = 0; slot < kRows * kHeads; ++slot) {
      held[static_cast<size_t>(slot)] = cache.positions(0, slot / kHeads, slot % kHeads);
    }
    const at::Tensor out = attend(context, {.step = step,
                                            .layer = 0,
                                            .q = Inputs::of(in.q, step),
                                            .k = Inputs::of(in.k, step),
                                            .v = Inputs::of(in.v, step),
                                            .softmax_scale = kScale});
    cache.audit(step.index);
    for (int64_t slot = 0; slot < kRows * kHeads; ++slot) {
      const int64_t row = slot / kHeads;
      const int64_t head = slot % kHeads;
      const int64_t padding = kPadding[static_cast<size_t>(row)];
      for (int64_t i = 0; i < step.queries(); ++i) {
        const int64_t query = step.first_token + i;
        std::vector<int64_t> seen;
        for (const int64_t position : held[static_cast<size_t>(slot)]) {
          if (position >= padding) seen.push_back(position);
        }
        for (int64_t j = step.first_token; j < query; ++j) {
          if (j >= padding) seen.push_back(j);
        }
        seen.push_back(query);
        if (query < padding) seen = {query};
        EXPECT_LT((out[row][head][i] - naive_output(in, row, head, query, seen))
                      .abs()
                      .max()
                      .item<double>(),
                  1e-5 * (query < padding ? 1000 : 1))
            << "step " << step.index << " slot " << slot << " query " << i;
      }
    }
  }
  EXPECT_EQ(oracle.observed, static_cast<int64_t>(plan.geometry().steps.size()));
}

TEST(Padding, IsSeenByNobodyWithAFullCache) {
  run(full_plan(geometry()), nullptr);
}

TEST(Padding, IsSeenByNobodyWhenTokensGo) {
  std::vector<LayerHeadTokens> kept;
  for (const StepInfo& step : geometry().steps) {
    const int64_t all = step.first_token + (step.stored ? step.queries() : 0);
    kept.push_back({{std::min<int64_t>(all, 8), std::min<int64_t>(all, 8)}});
  }
  DropSome controller;
  run(Plan(geometry(), kept), &controller);
}

TEST(Padding, ClearForgetsIt) {
  KvCache cache(full_plan(geometry()), kRows, at::kCPU);
  cache.set_padding(kPadding);
  EXPECT_TRUE(cache.has_padding());
  EXPECT_EQ(cache.padding(2), 6);
  cache.clear();
  EXPECT_FALSE(cache.has_padding());
  EXPECT_EQ(cache.padding(2), 0);
  cache.set_padding({0, 0, 0});
  EXPECT_FALSE(cache.has_padding());
}

TEST(Padding, MustLeaveATokenOfThePrefillAndComeFirst) {
  KvCache cache(full_plan(geometry()), kRows, at::kCPU);
  for (const std::vector<int64_t>& wrong :
       {std::vector<int64_t>{1, 2}, {0, 0, kPrompt}, {0, -1, 0}}) {
    EXPECT_THROW(cache.set_padding(wrong), Error);
  }
  const Inputs in;
  const StepInfo prefill = geometry().steps.front();
  cache.append(0, prefill, Inputs::of(in.k, prefill), Inputs::of(in.v, prefill));
  EXPECT_THROW(cache.set_padding(kPadding), Error);
  CacheGeometry scales = geometry();
  scales.steps = next_scale_steps({{1, 1}, {2, 2}});
  KvCache other(full_plan(scales), 1, at::kCPU);
  EXPECT_THROW(other.set_padding({1}), Error);
}

TEST(NextTokenSteps, DrawTheLastTokenAndNeverFeedIt) {
  const std::vector<StepInfo> steps = next_token_steps(5, 4);
  ASSERT_EQ(steps.size(), 5);
  EXPECT_EQ(steps[0].kind, StepKind::kPrefill);
  EXPECT_EQ(steps[0].queries(), 5);
  EXPECT_EQ(steps[4].first_token, 8);
  EXPECT_FALSE(steps[4].stored);
  EXPECT_TRUE(steps[3].stored);
  EXPECT_EQ(full_cache_tokens(steps), 8) << "condition and all tokens but the last";
  EXPECT_EQ(last_attending_step(steps), 3);
  EXPECT_EQ(last_attending_step(next_scale_steps({{1, 1}, {2, 2}})), 1);
}

}  // namespace
}  // namespace kvscope
