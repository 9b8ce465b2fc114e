// What an override does where its key is not there, beyond Hydra's corpus.
#include "core/config/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

struct Case {
  const char* before;
  const char* override_text;
  const char* after;  // null: nothing to act on
};

const Case kCases[] = {
    {"{a: 1}", "b=2", R"({"a":1,"b":2})"},
    {"{a: 1}", "b.c=2", R"({"a":1,"b":{"c":2}})"},
    {"{a: null}", "a.b=2", R"({"a":{"b":2}})"},
    {"{score: key_norm}", "score.window=2", R"({"score":{"name":"key_norm","window":2}})"},
    {"{store: {name: as_is}}", "store={name: kivi, bits: 4}",
     R"({"store":{"name":"kivi","bits":4}})"},
    {"{score: {name: a, window: 1}}", "score={name: b, kernel: 3}",
     R"({"score":{"name":"b","kernel":3}})"},
    {"{score: {name: a, window: 1}}", "score={kernel: 3}",
     R"({"score":{"name":"a","window":1,"kernel":3}})"},
    {"{score: {name: a, window: 1}}", "score={name: a, window: 3}",
     R"({"score":{"name":"a","window":3}})"},
    {"{protect: {name: a}}", "protect=[b,c]", R"({"protect":["b","c"]})"},
    {"{protect: [{name: a}]}", "protect={name: b}", R"({"protect":{"name":"b"}})"},
    {"{protect: [{name: a}]}", "protect.0.count=2", R"({"protect":[{"name":"a","count":2}]})"},
    {"{protect: [{name: a}]}", "protect.1.count=2", nullptr},
    {"{a: 1}", "a.b=2", nullptr},
    {"{a: 1}", "~b", nullptr},
    {"{a: 1}", "~b.c", nullptr},
    {"{a: 1, b: 2}", "~b", R"({"a":1})"},
};

TEST(Merge, AbsentKeysAreAddedWhereReadersJudge) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.override_text);
    ConfigNode root = load_yaml_text(one.before, "x.yaml");
    const auto why = apply_override(root, parse_override(one.override_text), AbsentKeys::kAdd);
    EXPECT_EQ(why.has_value(), one.after == nullptr);
    if (why) {
      EXPECT_THAT(*why, HasSubstr(one.override_text));
    }
    const ConfigNode expected = load_yaml_text(one.after != nullptr ? one.after : one.before, "");
    EXPECT_EQ(canonical_json(root), canonical_json(expected));
  }
}

TEST(Merge, AdviceIsGivenWhereItWorks) {
  const auto refusal = [](const std::string& text) -> std::string {
    ConfigNode root = load_yaml_text("{a: 1, hydra: {run: {dir: x}, sweeper: {b: 1}}}", "x.yaml");
    try {
      apply_override(root, parse_override(text));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string advice = "is added with +";
  EXPECT_THAT(refusal("b=1"), HasSubstr(advice + "b=1"));
  EXPECT_THAT(refusal("hydra.sweeper.c=1"), HasSubstr(advice));
  EXPECT_THAT(refusal("hydra.run.dri=1"), testing::Not(HasSubstr(advice)));
  EXPECT_THAT(refusal("~b"), testing::Not(HasSubstr(advice)));
}

}  // namespace
}  // namespace kvscope
