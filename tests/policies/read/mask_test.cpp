// Masked attention against its definition in plain double loops.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../naive_run.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kScale = 0.4;

/// A token at `position`, written by step `writer`, that a query of `step` could look at.
struct Look {
  int64_t step = 0;
  int64_t layer = 0;
  int64_t head = 0;
  int64_t writer = 0;
  int64_t position = 0;
};
/// Whether it is hidden.
using Hides = std::function<bool(const Look& look)>;

/// Every output of a generation that keeps everything equals softmax over what is not hidden.
void expect_masked(const CacheGeometry& geometry, const std::string& mask, const Hides& hides) {
  const auto policy = policy_from("{allocate: full, read: " + mask + "}");
  const Plan plan = policy->plan(geometry, Budget::of_ratio(1));
  const std::vector<int64_t> rows{0, 2};
  KvCache cache(plan, 2, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy.get()};
  begin_generation(context, {});
  std::vector<std::vector<LayerInputs>> made(static_cast<std::size_t>(geometry.layers));
  int64_t hidden = 0;
  for (const StepInfo& step : geometry.steps) {
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      auto& steps = made[static_cast<std::size_t>(layer)];
      steps.push_back(layer_inputs(geometry, step, layer, rows));
      const at::Tensor out = attend(context, steps.back().at(step, layer, kScale));
      for (int64_t row = 0; row < 2; ++row) {
        for (int64_t head = 0; head < geometry.heads; ++head) {
          const int64_t query = step.queries() - 1;
          std::vector<double> weights;
          std::vector<at::Tensor> values;
          for (const StepInfo& writer : geometry.steps) {
            if (writer.index > step.index) break;
            const LayerInputs& of = steps[static_cast<std::size_t>(writer.index)];
            for (int64_t token = 0; token < writer.queries(); ++token) {
              if (writer.index < step.index &&
                  hides({step.index, layer, head, writer.index, writer.first_token + token})) {
                ++hidden;
                continue;
              }
              const double dot = (steps.back().q[row][head][query].to(at::kDouble) *
                                  of.k[row][head][token].to(at::kDouble))
                                     .sum()
                                     .item<double>();
              weights.push_back(std::exp(dot * kScale));
              values.push_back(of.v[row][head][token].to(at::kDouble));
            }
          }
          at::Tensor expected = at::zeros({geometry.head_dim}, at::kDouble);
          double total = 0;
          for (std::size_t i = 0; i < weights.size(); ++i) {
            expected += weights[i] * values[i];
            total += weights[i];
          }
          const double error =
              (out[row][head][query].to(at::kDouble) - expected / total).abs().max().item<double>();
          EXPECT_LT(error, 1e-5) << fmt::format("{}: step {}, layer {}, head {}", mask, step.index,
                                                layer, head);
        }
      }
    }
    cache.audit(step.index);
  }
  EXPECT_GT(hidden, 0) << mask;
}

CacheGeometry scales() {
  return {.layers = 2,
          .heads = 3,
          .head_dim = 5,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {2, 5}, {4, 4}})};
}

TEST(Mask, HidesStepsHeadsAndLayers) {
  expect_masked(scales(), "{name: mask, steps: [1, 2-3]}",
                [](const Look& look) { return look.writer >= 1; });
  expect_masked(
      scales(), "{name: mask, layers: 1, heads: [0, 2], steps: [0, 2]}", [](const Look& look) {
        return look.layer == 1 && look.head != 1 && (look.writer == 0 || look.writer == 2);
      });
}

TEST(Mask, HidesFromTheQueriesOfSomeSteps) {
  expect_masked(scales(), "{name: mask, steps: all, from_steps: [2, 4]}",
                [](const Look& look) { return look.step == 2 || look.step == 4; });
  expect_masked(scales(), "{name: mask, layers: 1, heads: 2, steps: 1, from_steps: 3-4}",
                [](const Look& look) {
                  return look.layer == 1 && look.head == 2 && look.writer == 1 && look.step >= 3;
                });
}

TEST(Mask, AHeadWithoutHistoryAttendsToTheCurrentStepAlone) {
  expect_masked(scales(), "{name: mask, heads: 1, steps: all}",
                [](const Look& look) { return look.head == 1; });
}

TEST(Mask, HidesTextAndSinks) {
  const CacheGeometry tokens{
      .layers = 2, .heads = 2, .head_dim = 5, .steps = next_token_steps(4, 9)};
  expect_masked(tokens, "{name: mask, text: true}",
                [](const Look& look) { return look.writer == 0; });
  expect_masked(tokens, "{name: mask, sinks: 6, layers: 0}",
                [](const Look& look) { return look.layer == 0 && look.position < 6; });
}

TEST(Mask, ThePlanTellsWhatAttentionReads) {
  const auto remarks = [](const std::string& mask) {
    const auto policy = policy_from("{allocate: full, read: " + mask + "}");
    return policy->remarks(policy->plan(scales(), Budget::of_ratio(1)), 24);
  };
  // Into the last step 24 tokens are held; 14 of them are of the scales 1 and 3.
  EXPECT_THAT(remarks("{name: mask, steps: [1, 3]}"),
              testing::ElementsAre(
                  "attention reads at most 10.0 of 24.0 tokens per head in the last step"));
  // One head of three in one layer of two.
  EXPECT_THAT(remarks("{name: mask, steps: all, layers: 0, heads: 2}"),
              testing::ElementsAre(
                  "attention reads at most 20.0 of 24.0 tokens per head in the last step"));
  // The last step sees all.
  EXPECT_THAT(remarks("{name: mask, steps: all, from_steps: 0-3}"), testing::IsEmpty());
  EXPECT_THAT(remarks("all"), testing::IsEmpty());
}

TEST(Mask, WhatTheModelLacksIsRefusedBeforeTheRun) {
  const auto plan = [](const std::string& mask) {
    const auto policy = policy_from("{allocate: full, read: {name: mask, " + mask + "}}");
    (void)policy->plan(scales(), Budget::of_ratio(1));
  };
  for (const auto& [mask, message] :
       {std::pair("layers: [0, 2]", "policy.read.layers: there is no 2"),
        std::pair("heads: 1-3, steps: all", "policy.read.heads: there is no 3"),
        std::pair("steps: 5", "policy.read.steps: there is no 5"),
        std::pair("steps: all, from_steps: [1, 5]", "policy.read.from_steps: there is no 5")}) {
    const auto attempt = [&, text = mask] { plan(text); };
    EXPECT_THAT(attempt, testing::ThrowsMessage<Error>(testing::HasSubstr(message)));
  }
}

}  // namespace
}  // namespace kvscope
