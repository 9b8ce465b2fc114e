#include "experiments/ablation/ablation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CacheGeometry scales() {
  return {.layers = 3,
          .heads = 2,
          .head_dim = 4,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}, {4, 4}})};
}

/// 4 condition tokens, 9 of the image, the last of which is never fed.
CacheGeometry tokens() {
  return {.layers = 3, .heads = 2, .head_dim = 4, .steps = next_token_steps(4, 9)};
}

std::vector<std::string> labels(const AblationAxis& axis) {
  std::vector<std::string> found;
  for (const HiddenValue& value : axis.values) found.push_back(value.label);
  return found;
}

TEST(Ablation, HidesOneThingOfAnAxisAtATime) {
  const auto only = [](const std::string& over, const CacheGeometry& geometry) {
    const Ablation ablation(over, geometry);
    return ablation.overrides(ablation.size() - 1);
  };
  EXPECT_THAT(only("layer", scales()),
              ElementsAre("policy.read.layers=[2]", "policy.read.steps=all"));
  EXPECT_THAT(only("head", scales()),
              ElementsAre("policy.read.heads=[1]", "policy.read.steps=all"));
  EXPECT_THAT(only("scale", scales()), ElementsAre("policy.read.steps=[2]"));
  EXPECT_THAT(only("step", scales()),
              ElementsAre("policy.read.from_steps=[3]", "policy.read.steps=all"));
  EXPECT_THAT(only("sink", scales()), ElementsAre("policy.read.sinks=8", "policy.read.steps=none"));
  EXPECT_THAT(only("text", tokens()),
              ElementsAre("policy.read.text=true", "policy.read.steps=none"));
}

TEST(Ablation, LeavesOutWhatHidingCouldNotChange) {
  // Nothing comes after the last scale, and the first has nothing before it.
  EXPECT_THAT(labels(Ablation("scale", scales()).axes()[0]), ElementsAre("0", "1", "2"));
  EXPECT_THAT(labels(Ablation("step", scales()).axes()[0]), ElementsAre("1", "2", "3"));
  EXPECT_EQ(Ablation("scale", scales()).value(1, 0).shape, "2x2");
  // Fewer than the 14 tokens before the last scale.
  EXPECT_THAT(labels(Ablation("sink", scales()).axes()[0]), ElementsAre("1", "2", "4", "8"));
}

TEST(Ablation, ALineOfANextTokenImageCountsAsAScale) {
  // Step 0 is the prefill, steps 1 to 8 are fed tokens; 9 tokens are a square of 3 x 3.
  EXPECT_THAT(labels(Ablation("scale", tokens()).axes()[0]),
              ElementsAre("0", "1..3", "4..6", "7..8"));
  EXPECT_THAT(labels(Ablation("step", tokens()).axes()[0]), ElementsAre("1..3", "4..6", "7..8"));
  EXPECT_THAT(labels(Ablation("step", tokens(), 5).axes()[0]), ElementsAre("1..5", "6..8"));
  EXPECT_THAT(Ablation("scale", tokens()).overrides(1), ElementsAre("policy.read.steps=[1-3]"));
}

TEST(Ablation, AGridHasEveryPairTheSecondAxisFastest) {
  const Ablation grid("layer,scale", scales());
  EXPECT_EQ(grid.size(), 9);
  EXPECT_EQ(grid.stem(), "layer_scale");
  EXPECT_TRUE(grid.is_over(HiddenKind::kScale, HiddenKind::kLayer));
  EXPECT_FALSE(grid.is_over(HiddenKind::kStep, HiddenKind::kLayer));
  EXPECT_EQ(grid.value(5, 0).label, "1");
  EXPECT_EQ(grid.value(5, 1).label, "2");
  EXPECT_THAT(grid.overrides(5), ElementsAre("policy.read.layers=[1]", "policy.read.steps=[2]"));
  EXPECT_THAT(Ablation("scale,step", scales()).overrides(0),
              ElementsAre("policy.read.from_steps=[1]", "policy.read.steps=[0]"));
}

TEST(Ablation, AStepHasNothingToHideOfWhatComesAfterIt) {
  const Ablation grid("scale,step", scales());  // scales 0 to 2 by steps 1 to 3
  std::vector<bool> hides;
  for (int64_t thing = 0; thing < grid.size(); ++thing) hides.push_back(grid.hides(thing));
  EXPECT_THAT(hides, ElementsAre(true, true, true, false, true, true, false, false, true));
  // A token of a line sees those before it in the line.
  const Ablation lines("step,scale", tokens());
  EXPECT_TRUE(lines.hides(1)) << "step 1..3 and scale 1..3";
  EXPECT_FALSE(lines.hides(2)) << "step 1..3 and scale 4..6";
}

TEST(Ablation, SaysWhatGoesInstead) {
  const auto refusal = [](const std::string& over) -> std::string {
    try {
      const Ablation ablation(over, scales());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(refusal("layr"), HasSubstr("'layer'"));
  EXPECT_THAT(refusal(""), HasSubstr("expected one or two of layer, head"));
  EXPECT_THAT(refusal("layer,head,step"), HasSubstr("3 axes"));
  EXPECT_THAT(refusal("head,head"), HasSubstr("expected --over head"));
  EXPECT_THAT(refusal("sink,scale"), HasSubstr("--over layer,scale"));
  EXPECT_THAT(refusal("text"), HasSubstr("model=shapes_next_token"));
}

}  // namespace
}  // namespace kvscope
