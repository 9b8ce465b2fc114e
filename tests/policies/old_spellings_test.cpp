#include "policies/old_spellings.h"

#include <gtest/gtest.h>

#include "core/config/format.h"
#include "policy_run.h"

namespace kvscope {
namespace {

void expect_updated(const std::string& old, const std::string& now) {
  ConfigNode policy = yaml(old);
  EXPECT_FALSE(update_spelling(policy).empty()) << old;
  EXPECT_EQ(to_yaml(policy), to_yaml(yaml(now)));
  EXPECT_TRUE(update_spelling(policy).empty()) << "once is enough";
  EXPECT_NO_THROW(make_policy(yaml(old)));  // a policy of the last version works as it is
}

TEST(OldSpellings, SayWhatReadSaysNow) {
  expect_updated("{score: {name: recency, rotation: rerotate}, protect: sinks}",
                 "{score: {name: recency}, protect: sinks, read: in_cache_positions}");
  expect_updated("{score: {name: recency, rotation: keep}}", "{score: {name: recency}}");
  expect_updated("{score: {name: diagonal, attended_tokens: 3}}",
                 "{score: recency, read: {name: diagonal, attended_tokens: 3}}");
  expect_updated("{score: diagonal}", "{score: recency, read: diagonal}");
}

TEST(OldSpellings, LeaveEverythingElse) {
  for (const char* text : {"{score: recency}", "{score: {name: key_norm}}", "{allocate: uniform}",
                           "{score: {name: recency, rotation: 3}}"}) {
    ConfigNode policy = yaml(text);
    EXPECT_TRUE(update_spelling(policy).empty()) << text;
    EXPECT_EQ(policy, yaml(text));
  }
}

}  // namespace
}  // namespace kvscope
