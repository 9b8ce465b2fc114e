#include "core/base/json_finding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

namespace kvscope {
namespace {

using nlohmann::json;

std::string finding(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::exception& error) {
    return json_finding(error);
  }
  return "nothing was thrown";
}

TEST(JsonFinding, SaysWhatIsWrongWithoutTheLibrarysName) {
  const json object = json::parse(R"({"a": 1})");
  EXPECT_EQ(finding([&] { (void)object.at("schema"); }), "no key 'schema'");
  EXPECT_EQ(finding([&] { (void)object.at("a").get<std::string>(); }),
            "expected a value of type string, found number");
  EXPECT_EQ(finding([&] { (void)object.at("a").at("b"); }),
            "expected a list or a mapping, found number");
  EXPECT_THAT(finding([] { std::ignore = json::parse("{ \"a\": }"); }),
              testing::StartsWith("line 1, column 8: syntax error"));
  EXPECT_THAT(finding([] { std::ignore = json("\xff").dump(); }), testing::HasSubstr("UTF-8"));
  EXPECT_EQ(finding([] { throw std::runtime_error("[another] text"); }), "[another] text");
}

}  // namespace
}  // namespace kvscope
