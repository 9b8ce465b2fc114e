#include "policies/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

const std::vector<StepInfo> kSteps = next_scale_steps({{1, 1}, {2, 2}, {5, 7}, {9, 9}});  // 40 full

std::string refusal(const Budget& budget) {
  try {
    resolved_tokens(budget, kSteps);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

TEST(Budget, IsAShareOfWhatGoesIntoTheLastStep) {
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(1.0), kSteps), 40);
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.1), kSteps), 4);
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.44), kSteps), 18);
  EXPECT_EQ(resolved_tokens(Budget::of_tokens(7), kSteps), 7);
  EXPECT_EQ(resolved_tokens(Budget::of_ratio(0.3), next_scale_steps({{4, 4}})), 0);
}

TEST(Budget, ImpossibleOnesNameTheNearestFeasible) {
  EXPECT_THAT(refusal(Budget::of_ratio(1.5)), HasSubstr("nearest feasible: 1"));
  EXPECT_THAT(refusal(Budget::of_ratio(0.0)), HasSubstr("nearest feasible: 0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(-1.0)), HasSubstr("nearest feasible: 0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(0.001)), HasSubstr("nearest feasible: 0.025"));
  EXPECT_THAT(refusal(Budget::of_ratio(std::nan(""))), HasSubstr("not in (0, 1]"));
  EXPECT_THAT(refusal(Budget::of_tokens(41)), HasSubstr("nearest feasible: 40"));
  EXPECT_THAT(refusal(Budget::of_tokens(0)), HasSubstr("nearest feasible: 1"));
}

TEST(Budget, ReadsItsGroup) {
  const auto read = [](const std::string& text) {
    return budget_from_config(load_yaml_text(text, "test"));
  };
  EXPECT_EQ(read("{ratio: 0.2, tokens: null}"), Budget::of_ratio(0.2));
  EXPECT_EQ(read("{ratio: 1}"), Budget::of_ratio(1.0));
  EXPECT_EQ(resolved_tokens(read("{ratio: 0.2, tokens: 13}"), kSteps), 13);
  EXPECT_THROW(read("{ration: 0.2}"), Error);
  EXPECT_THROW(read("{tokens: 1.5}"), Error);
  EXPECT_THROW(read("0.2"), Error);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(kSourceDir) / "configs/budget")) {
    EXPECT_GT(resolved_tokens(budget_from_config(load_yaml_file(entry.path())), kSteps), 0);
  }
}

}  // namespace
}  // namespace kvscope
