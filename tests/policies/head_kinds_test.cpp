// Which allocations and scores go together, as a table.
#include "policies/head_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/error.h"
#include "policy_run.h"

namespace kvscope {
namespace {

std::string refusal(const std::string& policy) {
  try {
    make_policy(yaml(policy));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "";
}

std::vector<std::string> names_of(const std::string& slot) {
  std::vector<std::string> names;
  for (const ComponentInfo& part : policy_components()) {
    if (part.slot == slot) names.push_back(part.name);
  }
  return names;
}

TEST(HeadKinds, EveryScoreIsTakenByTheAllocationsThatFitAndRefusedByTheOthers) {
  const std::map<std::string, std::string> only_with = {{"spatial_semantic", "head_type"},
                                                        {"head_pattern", "head_pattern"}};
  for (const std::string& score : names_of("score")) {
    for (const std::string& allocate : names_of("allocate")) {
      const auto needs = only_with.find(score);
      const bool together = needs == only_with.end() || needs->second == allocate;
      const std::string said = refusal("{allocate: " + allocate + ", score: " + score + "}");
      EXPECT_EQ(said.empty(), together) << allocate << " with " << score << ": " << said;
    }
  }
}

TEST(HeadKinds, ARefusalSaysWhatWouldFitAndThatFits) {
  EXPECT_THAT(refusal("{allocate: uniform, score: spatial_semantic}"),
              testing::AllOf(
                  testing::StartsWith("test:1:"),
                  testing::EndsWith(
                      ": policy.score: 'spatial_semantic' goes by semantic and spatial heads, but "
                      "policy.allocate 'uniform' has heads that are all alike; expected "
                      "policy.allocate=head_type, or a score that treats all heads alike, such as "
                      "policy.score=recency")));
  EXPECT_THAT(refusal("{allocate: {name: head_pattern}, score: {name: spatial_semantic}}"),
              testing::AllOf(testing::HasSubstr("has structural and contextual heads"),
                             testing::HasSubstr("expected policy.allocate=head_type, or "
                                                "policy.score=head_pattern")));
  EXPECT_EQ(refusal("{allocate: head_type, score: spatial_semantic}"), "");
  EXPECT_EQ(refusal("{allocate: head_pattern, score: head_pattern}"), "");
  EXPECT_EQ(refusal("{allocate: head_type, score: recency}"), "");
}

TEST(HeadKinds, AllHaveAWord) {
  std::set<std::string> texts;
  for (int kinds = 0; kinds <= static_cast<int>(HeadKinds::kDrafterRefiner); ++kinds) {
    texts.insert(head_kinds_text(static_cast<HeadKinds>(kinds)));
  }
  EXPECT_EQ(texts.size(), 6);
  EXPECT_FALSE(texts.contains(""));
}

}  // namespace
}  // namespace kvscope
