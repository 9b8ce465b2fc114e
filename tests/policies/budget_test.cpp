#include "policies/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "tests/policies/policy_run.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

/// 40 tokens into the last step.
CacheGeometry next_scale() {
  return {.layers = 3,
          .heads = 2,
          .head_dim = 8,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {5, 7}, {9, 9}})};
}

/// 5 condition tokens and 6 lines of 7 tokens, the last of which is not stored: 46 tokens.
CacheGeometry next_token() {
  return {
      .layers = 3, .heads = 2, .head_dim = 8, .steps = next_token_steps(5, 42), .line_tokens = 7};
}

Budget read(const std::string& text) {
  return budget_from_config(yaml(text));
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

std::string refusal(const Budget& budget, const CacheGeometry& geometry = next_scale()) {
  return refusal([&] { resolved_tokens(budget, geometry); });
}

TEST(Budget, IsAShareOfWhatGoesIntoTheLastStep) {
  const CacheGeometry geometry = next_scale();
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(1.0), geometry), 40);
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.1), geometry), 4);
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.44), geometry), 18);
  EXPECT_EQ(resolved_tokens(Budget::of_tokens(7), geometry), 7);
  CacheGeometry one_step = geometry;
  one_step.steps = next_scale_steps({{4, 4}});
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.3), one_step), 0);
}

TEST(Budget, OtherUnitsBecomeTokens) {
  // 3 layers x 2 heads x 8 channels x (4 + 4) bytes = 384 bytes per token and row
  EXPECT_EQ(resolved_tokens(read("{bytes: 384}"), next_scale()), 1);
  EXPECT_EQ(resolved_tokens(read("{bytes: 4KiB}"), next_scale()), 10);
  EXPECT_EQ(resolved_tokens(read("{bytes: 4 KiB}"), next_scale(), 2), 5);
  EXPECT_EQ(resolved_tokens(read("{bytes: 4kB}"), next_scale(), 2), 5);
  EXPECT_EQ(resolved_tokens(read("{bytes: 0.0038MB}"), next_scale()), 9);
  EXPECT_EQ(resolved_tokens(read("{lines: 2}"), next_token()), 14);
  EXPECT_EQ(resolved_tokens(read("{lines: 2, text: free}"), next_token()), 19);
  EXPECT_EQ(resolved_tokens(read("{scales: 1}"), next_scale()), 35);
  EXPECT_EQ(resolved_tokens(read("{scales: 2}"), next_scale()), 39);
  EXPECT_EQ(resolved_tokens(read("{scales: 3}"), next_scale()), 40);
  EXPECT_EQ(resolved_tokens(read("{ratio: 0.5}"), next_token()), 23);
  EXPECT_EQ(resolved_tokens(read("{ratio: 0.5, text: free}"), next_token()), 5 + 21);
  EXPECT_EQ(resolved_tokens(read("{tokens: 6, text: free}"), next_token()), 11);
  EXPECT_EQ(resolved_tokens(read("{ratio: 1, text: free}"), next_token()), 46);
}

TEST(Budget, ImpossibleOnesNameTheNearestFeasibleInTheirUnit) {
  EXPECT_THAT(refusal(Budget::of_ratio(1.5)), HasSubstr("nearest feasible: budget.ratio=1"));
  EXPECT_THAT(refusal(Budget::of_ratio(0.0)), HasSubstr("nearest feasible: budget.ratio=0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(-1.0)), HasSubstr("nearest feasible: budget.ratio=0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(0.001)), HasSubstr("nearest feasible: budget.ratio=0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(std::nan(""))), HasSubstr("not in (0, 1]"));
  EXPECT_THAT(refusal(Budget::of_tokens(41)), HasSubstr("nearest feasible: budget.tokens=40"));
  EXPECT_THAT(refusal(Budget::of_tokens(0)), HasSubstr("nearest feasible: budget.tokens=1"));
  EXPECT_THAT(refusal(Budget::of_tokens(INT64_MIN)), HasSubstr("budget.tokens=1"));
  EXPECT_THAT(refusal(Budget::of_tokens(INT64_MAX)), HasSubstr("budget.tokens=40"));
  EXPECT_THAT(refusal(read("{bytes: 600MiB}")), HasSubstr("nearest feasible: budget.bytes=15360"));
  EXPECT_THAT(refusal(read("{bytes: 383}")), HasSubstr("nearest feasible: budget.bytes=384"));
  EXPECT_THAT(refusal(read("{lines: 7}"), next_token()), HasSubstr("budget.lines=6"));
  EXPECT_THAT(refusal(read("{lines: 0}"), next_token()), HasSubstr("budget.lines=1"));
  EXPECT_THAT(refusal(read("{lines: 2}")), HasSubstr("budget.scales"));
  EXPECT_THAT(refusal(read("{scales: 4}")), HasSubstr("nearest feasible: budget.scales=3"));
  EXPECT_THAT(refusal(read("{scales: 1}"), next_token()), HasSubstr("budget.lines"));
}

TEST(Budget, TheNearestFeasibleIsFeasible) {
  for (const CacheGeometry& geometry : {next_scale(), next_token()}) {
    for (const bool free_text : {false, true}) {
      for (const BudgetUnit unit : {BudgetUnit::kRatio, BudgetUnit::kTokens, BudgetUnit::kBytes}) {
        const Budget budget{.unit = unit, .free_text = free_text};
        for (int64_t tokens = 6; tokens <= full_cache_tokens(geometry.steps); ++tokens) {
          const std::string text = budget_of_tokens(budget, tokens, geometry, 2);
          Budget named = budget;
          named.amount = std::stod(text.substr(text.find('=') + 1));
          EXPECT_EQ(resolved_tokens(named, geometry, 2), tokens) << text;
        }
      }
    }
  }
}

TEST(Budget, ReadsItsGroup) {
  EXPECT_EQ(read("{ratio: 0.2, tokens: null}"), Budget::of_ratio(0.2));
  EXPECT_EQ(read("{}"), Budget{});
  EXPECT_EQ(read("{ratio: 0.7, tokens: 13}").amount, 13);
  EXPECT_EQ(read("{tokens: 13, ratio: 0.7}"), read("{ratio: 0.2, tokens: 13}"));
  EXPECT_THAT(refusal([] { read("{ration: 0.2}"); }), HasSubstr("'budget.ratio'"));
  EXPECT_THAT(refusal([] { read("{tokens: 3, lines: 2}"); }), HasSubstr("both given"));
  EXPECT_THAT(refusal([] { read("{scope: haed}"); }), HasSubstr("'head'"));
  EXPECT_THAT(refusal([] { read("{bytes: 6MoB}"); }), HasSubstr("MiB"));
  EXPECT_THAT(refusal([] { read("{bytes: many}"); }), HasSubstr("600MiB"));
  EXPECT_THROW(read("{tokens: 1.5}"), Error);
  EXPECT_THROW(read("0.2"), Error);
}

TEST(Budget, ItsGroupSaysTheSame) {
  for (const std::string text :
       {"{ratio: 0.2}", "{tokens: 13, moment: peak}", "{bytes: 1.5GB, scope: head}",
        "{lines: 3, text: free}", "{scales: 2, scope: step, cfg_rows: tied, moment: cut}"}) {
    EXPECT_EQ(budget_from_config(budget_group(read(text))), read(text)) << text;
  }
  EXPECT_EQ(budget_text(read("{ratio: 0.05}")), "5 %");
  EXPECT_EQ(budget_text(read("{bytes: 600MiB, moment: peak}")), "600 MiB, at the peak");
  EXPECT_EQ(budget_text(read("{bytes: 1.5GB, cfg_rows: tied}")), "1.5 GB, rows tied");
  EXPECT_EQ(budget_text(read("{lines: 3, text: free, scope: layer}")),
            "3 lines, every layer, text free");
}

}  // namespace
}  // namespace kvscope
