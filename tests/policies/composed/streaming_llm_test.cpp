// StreamingLLM's switches: sinks that are the text, capacity for the next step, keys turned to
// their positions in the cache.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../policy_run.h"
#include "core/base/error.h"
#include "core/models/shared/rotation_tables.h"
#include "tests/core/models/next_token/tiny_models.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TEST(StreamingLlm, SinksMayBeTheText) {
  const auto policy = policy_from("{allocate: uniform, protect: {name: sinks, sink_tokens: text}}");
  const CacheGeometry geometry{
      .layers = 1, .heads = 1, .head_dim = 4, .steps = next_token_steps(6, 20)};
  KvCache cache(policy->plan(geometry, Budget::of_tokens(9)), 2, at::kCPU);
  cache.set_padding({0, 2});
  AttentionContext context{.cache = cache, .controller = policy.get()};
  policy->begin_generation(2);
  for (const StepInfo& step : geometry.steps) {
    const LayerInputs in = layer_inputs(geometry, step, 0, {0, 1});
    attend(context, in.at(step, 0, 0.4));
  }
  EXPECT_EQ(cache.positions(0, 0, 0), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 22, 23, 24}));
  EXPECT_EQ(cache.positions(0, 1, 0), (std::vector<int64_t>{2, 3, 4, 5, 20, 21, 22, 23, 24}));
  EXPECT_THAT([] { policy_from("{allocate: uniform, protect: {name: sinks, sink_tokens: tex}}"); },
              testing::ThrowsMessage<Error>(HasSubstr("Did you mean 'text'?")));
}

TEST(StreamingLlm, RoomForTheNextStepKeepsEveryQueryWithinTheBudget) {
  const auto policy = policy_from(
      "{allocate: {name: uniform, room: next_step},"
      " protect: {name: sinks, sink_tokens: 2}}");
  const CacheGeometry geometry{
      .layers = 1,
      .heads = 1,
      .head_dim = 4,
      .steps = next_scale_steps({{1, 4}, {1, 3}, {2, 3}, {1, 1}, {4, 5}, {1, 2}, {1, 1}})};
  const Plan plan = policy->plan(geometry, Budget::of_tokens(10));
  int64_t held = 0;
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) continue;
    // A step of more than the budget finds the sinks alone.
    EXPECT_LE(held + step.queries(), std::max<int64_t>(10, 2 + step.queries()));
    held = plan.kept(step.index, 0, 0);
  }
  EXPECT_EQ(plan.kept(3, 0, 0), 2);
  EXPECT_EQ(plan.kept(2, 0, 0), 9);
  const Plan all = policy->plan(geometry, Budget::of_ratio(1.0));
  EXPECT_EQ(all.kept(5, 0, 0), full_cache_tokens(geometry.steps));
}

/// Attention over what is held, with keys at 0, 1, 2, ... and the query behind them: from unturned
/// keys, angles in double.
std::vector<double> in_cache_attention(const std::vector<int64_t>& held,
                                       const at::Tensor& q,
                                       const at::Tensor& k,
                                       const at::Tensor& v,
                                       double theta,
                                       double scale) {
  const int64_t dim = q.size(1);
  const auto turned = [&](const at::Tensor& x, int64_t position) {
    std::vector<double> y(static_cast<std::size_t>(dim));
    for (int64_t j = 0; j < dim / 2; ++j) {
      const double angle =
          static_cast<double>(position) *
          std::pow(theta, -2.0 * static_cast<double>(j) / static_cast<double>(dim));
      const auto a = x[j].item<double>();
      const auto b = x[j + dim / 2].item<double>();
      y[j] = a * std::cos(angle) - b * std::sin(angle);
      y[j + dim / 2] = b * std::cos(angle) + a * std::sin(angle);
    }
    return y;
  };
  const auto query = turned(q[held.back()], std::ssize(held) - 1);
  std::vector<double> out(static_cast<std::size_t>(dim), 0.0);
  double total = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto key = turned(k[held[i]], static_cast<int64_t>(i));
    const double weight =
        std::exp(scale * std::inner_product(key.begin(), key.end(), query.begin(), 0.0));
    total += weight;
    for (int64_t c = 0; c < dim; ++c) out[c] += weight * v[held[i]][c].item<double>();
  }
  for (double& value : out) value /= total;
  return out;
}

class Rerotation : public testing::Test {
 protected:
  static constexpr double kTheta = 30.0;
  static constexpr double kScale = 0.4;
  CacheGeometry geometry_{.layers = 1, .heads = 2, .head_dim = 6, .steps = next_token_steps(5, 31)};
  /// Heads of unequal length: one keeps everything.
  std::unique_ptr<Policy> policy_ = policy_from(
      "{allocate: {name: retrieval_heads, scores: [[0.1, 0.9]], solve: recent, sink_tokens: 2},"
      " read: in_cache_positions, protect: {name: sinks, sink_tokens: 2}}");
};

TEST_F(Rerotation, EqualsAttentionOfKeysThatWereNeverTurned) {
  for (const std::vector<int64_t>& padding : {std::vector<int64_t>{0, 0}, {0, 3}}) {
    for (const bool skips : {true, false}) {
      RotationTable table = line_rotation(36, 6, kTheta);
      table.skips_padding = skips;
      const Plan plan = policy_->plan(geometry_, Budget::of_tokens(20));
      KvCache cache(plan, 2, at::kCPU);
      cache.set_padding(padding);
      AttentionContext context{.cache = cache, .controller = policy_.get()};
      context.rotation = table;
      policy_->begin_generation(2);
      std::vector<at::Tensor> q, k, v;
      for (const StepInfo& step : geometry_.steps) {
        if (!step.stored) break;
        const LayerInputs in = layer_inputs(geometry_, step, 0, {0, 1});
        q.push_back(in.q);
        k.push_back(in.k);
        v.push_back(in.v);
        std::vector<int64_t> positions;
        for (int64_t row = 0; row < 2; ++row) {
          for (int64_t i = 0; i < step.queries(); ++i) {
            positions.push_back(
                std::max<int64_t>(step.first_token + i - (skips ? padding[row] : 0), 0));
          }
        }
        const Rotation there = at_positions(table, at::tensor(positions, at::kLong).view({2, -1}));
        std::vector<std::vector<int64_t>> held;
        for (int64_t slot = 0; slot < 4; ++slot) {
          held.push_back(cache.positions(0, slot / 2, slot % 2));
          for (int64_t i = 0; i < step.queries(); ++i) held.back().push_back(step.first_token + i);
          std::erase_if(held.back(),
                        [&](int64_t position) { return position < padding[slot / 2]; });
        }
        const at::Tensor out = attend(context, {.step = step,
                                                .layer = 0,
                                                .q = rotate(in.q, there),
                                                .k = rotate(in.k, there),
                                                .v = in.v,
                                                .softmax_scale = kScale,
                                                .hidden = in.hidden,
                                                .query_weight = in.query_weight});
        cache.audit(step.index);
        const at::Tensor all_q = at::cat(q, 2);
        const at::Tensor all_k = at::cat(k, 2);
        const at::Tensor all_v = at::cat(v, 2);
        for (int64_t slot = 0; slot < 4; ++slot) {
          const int64_t row = slot / 2;
          const int64_t head = slot % 2;
          const auto expected = in_cache_attention(held[slot], all_q[row][head], all_k[row][head],
                                                   all_v[row][head], kTheta, kScale);
          for (int64_t c = 0; c < 6; ++c) {
            EXPECT_NEAR(out[row][head][step.queries() - 1][c].item<double>(), expected[c], 2e-5)
                << "step " << step.index << ", row " << row << ", head " << head;
          }
        }
      }
      EXPECT_EQ(cache.length(0, 0, 0), 5);
      EXPECT_EQ(cache.length(0, 0, 1), 35);
    }
  }
}

TEST_F(Rerotation, IsRefusedWherePositionsAreNoLine) {
  struct Nobody : AttentionObserver {
    void begin_generation(int64_t /*rows*/) override {}
    void observe(const LayerStep& /*layer_step*/) override {}
  } nobody;
  const Plan plan = policy_->plan(geometry_, Budget::of_tokens(20));
  KvCache cache(plan, 1, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy_.get()};
  policy_->begin_generation(1);
  const LayerInputs in = layer_inputs(geometry_, geometry_.steps[0], 0, {0});
  const auto attempt = [&] { attend(context, in.at(geometry_.steps[0], 0, kScale)); };
  EXPECT_THAT(attempt, testing::ThrowsMessage<Error>(HasSubstr("expected policy.read=all")));
  context.rotation = grid_rotation(5, 5, 6, 8, kTheta);
  EXPECT_THAT(attempt, testing::ThrowsMessage<Error>(HasSubstr("1-D RoPE")));
  context.rotation = line_rotation(36, 6, kTheta);
  context.observers = {&nobody};
  EXPECT_THAT(attempt, testing::ThrowsMessage<Error>(HasSubstr("cannot be recorded")));
  context.observers.clear();
  EXPECT_NO_THROW(attempt());
}

// Without gaps keys stand where they always stood; with gaps Janus still runs as planned, and a
// model whose positions are a grid says that it cannot.
TEST(RerotationInModels, RunsInJanusAndIsRefusedByLlamaGen) {
  const auto policy = policy_from(
      "{allocate: uniform, read: in_cache_positions,"
      " protect: {name: sinks, sink_tokens: 4}}");
  const next_token::TinyModel janus = next_token::tiny_janus({3, 10, 4, 5});
  next_token::GenerateOptions options;
  options.cfg = {3};
  const auto run = [&](const next_token::TinyModel& model, double ratio) {
    return next_token::run_tiny(
               model, {0, 1}, options, true, policy.get(),
               policy->plan(next_token::tiny_geometry(model), Budget::of_ratio(ratio)))
        .generation.tokens;
  };
  const at::Tensor full = next_token::run_tiny(janus, {0, 1}, options, true).generation.tokens;
  EXPECT_TRUE(at::equal(run(janus, 1.0), full));
  EXPECT_EQ(run(janus, 0.5).sizes(), full.sizes());
  EXPECT_THAT(
      [&] {
        run(next_token::tiny_llamagen({2, 12, 5, 4}, next_token::ConditionKind::kFeatures), 0.5);
      },
      testing::ThrowsMessage<Error>(HasSubstr("positions are a line")));
}

}  // namespace
}  // namespace kvscope
