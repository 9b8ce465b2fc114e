#include "core/config/yaml.h"

#include <fmt/format.h>

#include "config_testing.h"
#include "core/config/big_integer.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string load_error(const std::string& text, const YamlLimits& limits = {}) {
  return error_of([&] { (void)load_yaml_text(text, "f.yaml", limits); });
}

TEST(Yaml, IntegersHaveAnyLength) {
  const ConfigNode node =
      load_yaml_text("{a: 99999999999999999999, b: 0x1_0000000000000000}\n", "f");
  EXPECT_EQ(integer_text(node.at("a")), "99999999999999999999");
  EXPECT_EQ(integer_text(node.at("b")), "18446744073709551616");
  EXPECT_EQ(to_yaml(node), "a: 99999999999999999999\nb: 18446744073709551616\n");
}

TEST(Yaml, HostileTextIsOneErrorWithItsPlace) {
  EXPECT_THAT(load_error("a: 1\nb: 2\na: 3\n"), StartsWith("f.yaml:3:1: the key 'a' is repeated"));
  EXPECT_THAT(load_error("a:\n\tb: 1\n"), StartsWith("f.yaml:2:1: a tab"));
  EXPECT_THAT(load_error("a: \xff\n"), StartsWith("f.yaml:1:4: not UTF-8"));
  EXPECT_THAT(load_error("a: \xc0\x80\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(load_error(std::string("a: b\0c", 6)), HasSubstr("control character 0x00"));
  EXPECT_THAT(load_error("a: [1, 2\nb: 3\n"), StartsWith("f.yaml:"));
  EXPECT_THAT(load_error("a: *nowhere\n"), StartsWith("f.yaml:1:"));
  EXPECT_THAT(load_error("a: &x [*x]\n"), StartsWith("f.yaml:1:"));
  EXPECT_THAT(load_error("a: !!python/object:os.system x\n"), HasSubstr("tag"));
  EXPECT_THAT(load_error("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(load_error("{[1]: 2}"), HasSubstr("keys are scalars"));
  EXPECT_THAT(load_error("? {a: 1}\n: 2\n"), HasSubstr("keys are scalars"));
  EXPECT_THAT(load_error("<<: 3\n"), HasSubstr("'<<' needs a mapping"));
  EXPECT_THAT(load_error("a: b: c\n"), StartsWith("f.yaml:1:"));
}

TEST(Yaml, DeepNestingAndAliasBombsStop) {
  EXPECT_THAT(load_error("a: " + std::string(200, '[') + std::string(200, ']')),
              HasSubstr("nested deeper than 64"));
  EXPECT_THAT(load_error(std::string(100'000, '[')), StartsWith("f.yaml:1:"));
  EXPECT_THAT(load_error(std::string(100'000, '{')), StartsWith("f.yaml:1:"));
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  EXPECT_THAT(load_error(dashes), HasSubstr("nested deeper"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb +=
        fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", i, last);
  }
  EXPECT_THAT(load_error(bomb), HasSubstr("aliases counted"));
  std::string deep = "b0: &b0 [x]\n";
  for (int i = 1; i < 80; ++i) deep += fmt::format("b{0}: &b{0} [*b{1}]\n", i, i - 1);
  EXPECT_THAT(load_error(deep), HasSubstr("nested deeper"));
}

TEST(Yaml, HugeAndUnreadableFiles) {
  EXPECT_THAT(load_error("a: 123456789\n", {.file_bytes = 10}), HasSubstr("at most 10"));
  EXPECT_THAT(error_of([] { (void)load_yaml_file("/nonexistent/x.yaml"); }, ErrorKind::kInput),
              HasSubstr("/nonexistent/x.yaml"));
  EXPECT_THAT(error_of([] { (void)load_yaml_file(testing::TempDir()); }, ErrorKind::kInput),
              HasSubstr("cannot be read"));
  ConfigFolder folder("yaml_zero");
  folder.write("empty.yaml", "");
  EXPECT_TRUE(load_yaml_file(folder.path() / "empty.yaml").is_null());
}

TEST(Yaml, ScalarTypesAreThoseOfPyYamlAndOmegaConf) {
  EXPECT_TRUE(parse_yaml_scalar("1e-3") == ConfigNode(1e-3));
  EXPECT_TRUE(parse_yaml_scalar("010") == ConfigNode(8));
  EXPECT_TRUE(parse_yaml_scalar("-0b101") == ConfigNode(-5));
  EXPECT_TRUE(parse_yaml_scalar("1:30") == ConfigNode(90));
  EXPECT_TRUE(parse_yaml_scalar("Off") == ConfigNode(false));
  EXPECT_TRUE(parse_yaml_scalar("+.5") == ConfigNode("+.5"));
  EXPECT_TRUE(parse_yaml_scalar("0o17") == ConfigNode("0o17"));
  EXPECT_TRUE(parse_yaml_scalar("0x_") == ConfigNode("0x_"));
  EXPECT_TRUE(parse_yaml_scalar(std::string(500, '1')).is_string());
  EXPECT_TRUE(load_yaml_text("a: '1'", "x").at("a") == ConfigNode("1"));
  EXPECT_TRUE(load_yaml_text("a: !!str 1", "x").at("a") == ConfigNode("1"));
}

TEST(Yaml, ATagThatSaysNothingChangesNothingOfWhatIsUnquoted) {
  const ConfigNode node = load_yaml_text(
      "é: ! 1\nb: ! yes\nc: ! '1'\nd: '!'\ne: \"! 1\"\nf: [! 2, !  3.5]\ng: ! |\n  7\n", "a.yaml");
  EXPECT_EQ(node.at("é").as_int64(), 1);
  EXPECT_TRUE(node.at("b").as_bool());
  EXPECT_EQ(node.at("c").as_string(), "1");
  EXPECT_EQ(node.at("d").as_string(), "!");
  EXPECT_EQ(node.at("e").as_string(), "! 1");
  EXPECT_EQ(node.at("f.0").as_int64(), 2);
  EXPECT_EQ(node.at("f.1").as_double(), 3.5);
  EXPECT_EQ(node.at("g").as_string(), "7\n");
}

TEST(Yaml, EveryValueKnowsItsPlace) {
  const ConfigNode root = load_yaml_text("a: 1\nb:\n  - x\n  - {c: 2}\n", "f.yaml");
  EXPECT_EQ(root.at("b.1.c").origin().text(), "f.yaml:4:9");
  EXPECT_EQ(root.at("b.1.c").path(), "b.1.c");
}

}  // namespace
}  // namespace kvscope
