#include "core/config/expression.h"

#include <fmt/format.h>

#include <limits>

#include "config_testing.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

ExpressionScope scope() {
  ExpressionScope scope;
  scope.key = [](const std::string& key) -> ConfigNode {
    if (key == "policy") return "full";
    if (key == "budget.ratio") return 0.5;
    if (key == "gen.images") return 12;
    if (key == "metrics.list") return ConfigNode::list({"psnr", "ssim"});
    if (key == "nothing") return {};
    throw Error(ErrorKind::kConfig, "no key " + key);
  };
  return scope;
}

ConfigNode value_of(const std::string& text) {
  return ConfigExpression(text).value(scope());
}

std::string refusal(const std::string& text) {
  return error_of([&] { (void)value_of(text); });
}

TEST(Expression, CountsAsPythonDoes) {
  // What python3 -c 'print(EXPRESSION)' prints.
  const std::pair<const char*, ConfigNode> cases[] = {{"1 + 2 * 3", 7},
                                                      {"(1 + 2) * 3", 9},
                                                      {"7 / 2", 3.5},
                                                      {"8 / 2", 4.0},
                                                      {"7 // 2", 3},
                                                      {"-7 // 2", -4},
                                                      {"7 // -2", -4},
                                                      {"-7 % 3", 2},
                                                      {"7 % -3", -2},
                                                      {"-7.5 % 2", 0.5},
                                                      {"7.5 // 2", 3.0},
                                                      {"2 ** 10", 1024},
                                                      {"2 ** 3 ** 2", 512},
                                                      {"-2 ** 2", -4},
                                                      {"2 ** -1", 0.5},
                                                      {"2 - -1", 3},
                                                      {"10 - 4 - 3", 3},
                                                      {"1e3 + .5", 1000.5},
                                                      {"round(2.5)", 2},
                                                      {"round(3.5)", 4},
                                                      {"int(-2.7)", -2},
                                                      {"min(3, 1.5, 2)", 1.5},
                                                      {"max(gen.images, 20)", 20},
                                                      {"abs(-3)", 3},
                                                      {"sqrt(16)", 4.0},
                                                      {"1 < 2 < 3", true},
                                                      {"1 < 3 < 2", false},
                                                      {"not 1 == 2", true},
                                                      {"true or false and false", true},
                                                      {"not true or true", true},
                                                      {"2 in [1, 2.0]", true},
                                                      {"3 not in [1, 2]", true},
                                                      {"'ell' in 'hello'", true},
                                                      {"'a' < 'b'", true},
                                                      {"1 == 1.0", true},
                                                      {"[1, 'a'] == [1, \"a\"]", true}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(value_of(text), expected) << text;
}

TEST(Expression, ReadsKeysAndDropsWhatPointsSay) {
  EXPECT_EQ(value_of("(policy == 'full') == (budget.ratio == 1.0)"), ConfigNode(false));
  EXPECT_EQ(value_of("policy != 'full' or budget.ratio < 1"), ConfigNode(true));
  EXPECT_EQ(value_of("'psnr' in metrics.list"), ConfigNode(true));
  EXPECT_EQ(value_of("nothing == null and not nothing > 3"), ConfigNode(true));
  EXPECT_THAT(
      ConfigExpression("policy == 'x' and (budget.ratio in [gen.images] or policy == 'y')").keys(),
      ElementsAre("policy", "budget.ratio", "gen.images"));
}

TEST(Expression, SaysAtWhichCharacterWhatIsWrong) {
  EXPECT_THAT(refusal("policy = 'full'"), AllOf(HasSubstr("'=='"), HasSubstr("character 8 ")));
  EXPECT_THAT(refusal("1 +"), AllOf(HasSubstr("a value was expected"), HasSubstr("character 4 ")));
  EXPECT_THAT(refusal("(1"), HasSubstr("expected ')'"));
  EXPECT_THAT(refusal("1 2"), HasSubstr("'2' where an operator or the end was expected"));
  EXPECT_THAT(refusal("a && b"), HasSubstr("and, or, not"));
  EXPECT_THAT(refusal("'open"), HasSubstr("closing quote"));
  EXPECT_THAT(refusal("mni(1, 2)"), HasSubstr("Did you mean 'min'?"));
  EXPECT_THAT(refusal("1 == 'a'"), HasSubstr("compares 1 with \"a\""));
  EXPECT_THAT(refusal("1 and true"), HasSubstr("'and' takes true or false, got 1"));
  EXPECT_THAT(refusal("1 < 'a'"), HasSubstr("orders numbers or texts"));
  EXPECT_THAT(refusal("'a' + 1"), HasSubstr("'+' takes numbers"));
  EXPECT_THAT(refusal("1.2.3"), HasSubstr("is no number"));
  EXPECT_THAT(refusal("${a}"), HasSubstr("an interpolation"));
  EXPECT_THAT(refusal(""), HasSubstr("the end where a value was expected"));
}

TEST(Expression, IsTotal) {
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(refusal("1 / 0"), HasSubstr("division by zero"));
  EXPECT_THAT(refusal("1 % 0.0"), HasSubstr("division by zero"));
  EXPECT_THAT(refusal(fmt::format("{} + 1", kMost)), HasSubstr("64 bits"));
  EXPECT_THAT(refusal("(-9223372036854775807 - 1) // -1"), HasSubstr("64 bits"));
  EXPECT_EQ(value_of("(-9223372036854775807 - 1) % -1"), ConfigNode(0));
  EXPECT_THAT(refusal("3 ** 1000000000"), HasSubstr("64 bits"));
  EXPECT_EQ(value_of("1 ** 9000000000"), ConfigNode(1));
  EXPECT_THAT(refusal("10.0 ** 400"), HasSubstr("no finite number"));
  EXPECT_THAT(refusal("(-1.0) ** 0.5"), HasSubstr("no finite number"));
  EXPECT_THAT(refusal("99999999999999999999"), HasSubstr("64 bits"));
  EXPECT_THAT(refusal(std::string(100, '(')), HasSubstr("deeper"));
  EXPECT_THAT(refusal(std::string(100, '-').append("1")), HasSubstr("deeper"));
  std::string chain = "1";
  for (int i = 0; i < 1000; ++i) chain += "+1";
  EXPECT_THAT(refusal(chain), HasSubstr("500 parts"));
  EXPECT_THAT(refusal(std::string(5000, ' ')), HasSubstr("4096"));
}

}  // namespace
}  // namespace kvscope
