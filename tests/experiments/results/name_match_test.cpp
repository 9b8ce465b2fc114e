#include "experiments/results/name_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const NameOption kHighlight{"--highlight", "policy"};
const std::vector<std::string> kNames = {"snapkv, window 8", "snapkv, window 16", "h2o",
                                         "pyramidkv",        "scalekv",           "scalekv_paper"};

std::string message_of(const std::string& text) {
  try {
    for (const std::string& name : meant_names(kHighlight, text, kNames)) static_cast<void>(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return {};
}

TEST(NameMatch, ANameIsMeantByItselfOrItsBeginning) {
  EXPECT_EQ(meant_name(kHighlight, "scalekv", kNames), "scalekv");
  EXPECT_EQ(meant_name(kHighlight, "scalekv_", kNames), "scalekv_paper");
  EXPECT_EQ(meant_name(kHighlight, "snapkv,window8", kNames), "snapkv, window 8");
  EXPECT_EQ(meant_name(kHighlight, "p", kNames), "pyramidkv");
}

TEST(NameMatch, NamesWithCommasStandInLists) {
  EXPECT_THAT(meant_names(kHighlight, "h2o,pyr", kNames), ElementsAre("h2o", "pyramidkv"));
  EXPECT_THAT(meant_names(kHighlight, "snapkv, window 8,h2o", kNames),
              ElementsAre("snapkv, window 8", "h2o"));
  EXPECT_THAT(meant_names(kHighlight, "h2o,snapkv, window 16,snapkv,window 8", kNames),
              ElementsAre("h2o", "snapkv, window 16", "snapkv, window 8"));
}

TEST(NameMatch, EveryListOfNamesIsReadBack) {
  for (const std::string& a : kNames) {
    for (const std::string& b : kNames) {
      EXPECT_THAT(meant_names(kHighlight, a + "," + b, kNames), ElementsAre(a, b));
    }
  }
}

TEST(NameMatch, WhatMeansNoneOrSeveralSaysSo) {
  EXPECT_THAT(message_of("h2"), testing::IsEmpty());
  EXPECT_THAT(message_of("h3o"), HasSubstr("--highlight: no policy 'h3o'. Did you mean 'h2o'?"));
  EXPECT_THAT(message_of("h2o,snapkv"),
              HasSubstr("policy 'snapkv' may be 'snapkv, window 16' or 'snapkv, window 8'"));
  EXPECT_THAT(message_of(""), HasSubstr("no policy ''"));
  EXPECT_THAT(message_of("h2o,"), HasSubstr("no policy ''"));
}

TEST(NameMatch, NamesThatRepeatAreListedOnce) {
  try {
    meant_name({"--highlight", "policy"}, "nosuch", {"h2o", "snapkv", "snapkv", "tova", "h2o"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::EndsWith("Known: h2o, snapkv, tova."));
  }
}

}  // namespace
}  // namespace kvscope
