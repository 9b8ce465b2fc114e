// Which steps each schedule evicts after.
#include <gtest/gtest.h>

#include "../budgets.h"
#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/component.h"

namespace kvscope {

MakeComponent<Schedule> make_schedule_each_scale, make_schedule_each_line,
    make_schedule_every_n_tokens;

namespace {

/// Indices of the stored steps that the schedule evicts after.
std::vector<int64_t> evictions(MakeComponent<Schedule>* make,
                               const std::string& text,
                               const std::vector<StepInfo>& steps,
                               int64_t line_tokens) {
  const ConfigNode node = yaml(text);
  Options options = component_options("policy.schedule", node);
  const auto schedule = make(options);
  options.finish();
  const CacheGeometry geometry{
      .layers = 1, .heads = 1, .head_dim = 1, .steps = steps, .line_tokens = line_tokens};
  std::vector<int64_t> indices;
  for (const StepInfo& step : steps) {
    if (step.stored && schedule->runs_after(geometry, step)) indices.push_back(step.index);
  }
  return indices;
}

using Steps = std::vector<int64_t>;

TEST(EachLine, CutsAfterThePrefillAndEveryFinishedLine) {
  // Step t feeds image token t - 1: a line of 5 is complete in the cache after steps 5, 10, ...
  const auto steps = next_token_steps(7, 20);
  EXPECT_EQ(evictions(make_schedule_each_line, "each_line", steps, 5), (Steps{0, 5, 10, 15}));
  EXPECT_EQ(evictions(make_schedule_each_line, "{name: each_line, lines: 2}", steps, 5),
            (Steps{0, 10}));
}

TEST(EachLine, CutsAfterEveryScaleAndWithoutLinesAfterEveryToken) {
  const auto scales = next_scale_steps({{1, 1}, {2, 3}, {4, 4}, {5, 5}});
  EXPECT_EQ(evictions(make_schedule_each_line, "each_line", scales, 0), (Steps{0, 1, 2}));
  EXPECT_EQ(evictions(make_schedule_each_line, "each_line", next_token_steps(3, 4), 0),
            (Steps{0, 1, 2, 3}));
}

TEST(EveryNTokens, CountsTheTokensOfTheImage) {
  const auto steps = next_token_steps(7, 11);
  EXPECT_EQ(
      evictions(make_schedule_every_n_tokens, "{name: every_n_tokens, interval: 4}", steps, 0),
      (Steps{0, 4, 8}));
  EXPECT_EQ(
      evictions(make_schedule_every_n_tokens, "{name: every_n_tokens, interval: 1}", steps, 0),
      evictions(make_schedule_each_scale, "each_scale", steps, 0));
}

TEST(EveryNTokens, CountsTheSequenceAsRkvDoes) {
  // A step evicts when the number of tokens before it is a multiple of the interval: 8, 12, 16.
  EXPECT_EQ(
      evictions(make_schedule_every_n_tokens,
                "{name: every_n_tokens, interval: 4, count: sequence}", next_token_steps(7, 11), 0),
      (Steps{0, 2, 6, 10}));
}

TEST(EveryNTokens, CutsAScaleThatReachesAMultiple) {
  // Tokens 1 | 2..5 | 6..14 | 15..30 of the image, counted from 1.
  const auto scales = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {4, 4}, {1, 1}});
  EXPECT_EQ(
      evictions(make_schedule_every_n_tokens, "{name: every_n_tokens, interval: 15}", scales, 0),
      (Steps{3}));
  EXPECT_EQ(
      evictions(make_schedule_every_n_tokens, "{name: every_n_tokens, interval: 5}", scales, 0),
      (Steps{1, 2, 3}));
}

TEST(EveryNTokens, RefusesAnIntervalOfNothing) {
  EXPECT_THROW(evictions(make_schedule_every_n_tokens, "{name: every_n_tokens, interval: 0}",
                         next_token_steps(3, 4), 0),
               Error);
}

TEST(RareEvictions, LetTokensPileUpAndThePlanCountsThem) {
  CacheGeometry geometry{.layers = 2, .heads = 3, .head_dim = 4, .steps = next_token_steps(6, 20)};
  geometry.line_tokens = 5;
  const auto policy = policy_from("{score: recency, schedule: each_line}");
  const Plan plan = policy->plan(geometry, tokens_at_evictions(8));
  const std::vector<int64_t> expected{6, 7,  8,  9,  10, 8, 9,  10, 11, 12, 8,
                                      9, 10, 11, 12, 8,  9, 10, 11, 12, 12};
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_EQ(plan.kept(static_cast<int64_t>(step), 1, 2), expected[step]) << "step " << step;
  }
  for (const Decision& decision : run_policy(*policy, plan, {0, 1})) {
    EXPECT_EQ(decision.kept.has_value(),
              decision.step == 5 || decision.step == 10 || decision.step == 15)
        << decision.step;
  }
}

}  // namespace
}  // namespace kvscope
