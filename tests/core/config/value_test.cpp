#include "core/config/value.h"

#include <cmath>
#include <limits>

#include "config_testing.h"
#include "core/config/format.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TEST(ConfigNode, GettersNamePathPlaceAndKind) {
  const ConfigNode root = load_yaml_text("budget:\n  ratio: high\n  sizes: [1, 2.5]\n", "c.yaml");
  EXPECT_EQ(error_of([&] { (void)root.at("budget.ratio").as_double(); }),
            "c.yaml:2:10: 'budget.ratio' must be a number, got a string 'high'");
  EXPECT_THAT(error_of([&] { (void)root.at("budget.sizes").as_int64_list(); }),
              HasSubstr("budget.sizes.1"));
  EXPECT_EQ(root.at("budget.sizes").as_double_list(), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(root.at("budget.sizes.0").as_int64(), 1);
}

TEST(ConfigNode, AbsentKeySuggestsTheNearest) {
  const ConfigNode root = load_yaml_text("budget: {ratio: 1, tokens: 2}\n", "c.yaml");
  EXPECT_THAT(error_of([&] { (void)root.at("budget.ratoi"); }), HasSubstr("Did you mean 'ratio'?"));
  EXPECT_EQ(root.find("budget.ratio.deeper"), nullptr);
}

TEST(ConfigNode, SetEraseAndCompareKeepOrder) {
  ConfigNode node;
  node.set_path("a.b.c", 1);
  node.set("z", "x");
  node.set("a", ConfigNode::list({1, 2}));
  EXPECT_EQ(node.entries().front().name, "a");
  EXPECT_TRUE(node.erase("z"));
  EXPECT_FALSE(node.erase("z"));
  EXPECT_FALSE(ConfigNode(1) == ConfigNode(1.0));
  EXPECT_TRUE(ConfigNode(std::nan("")) == ConfigNode(std::nan("")));
}

TEST(Format, FloatsAreShortestAndStayFloats) {
  EXPECT_EQ(format_float(0.1), "0.1");
  EXPECT_EQ(format_float(1), "1.0");
  EXPECT_EQ(format_float(-0.0), "-0.0");
  EXPECT_EQ(format_float(1e-7), "1e-07");
  EXPECT_EQ(format_float(1e16), "1e+16");
  EXPECT_EQ(format_float(123456789012345.6), "123456789012345.6");
  EXPECT_EQ(format_float(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(Format, YamlReadsBackAsTheSameTree) {
  ConfigNode root = ConfigNode::map();
  int key = 0;
  for (const char* text :
       {"",    " ",  "yes",      "1",     "1e-3",        "a: b",  "#x",   "a #b", "-",
        "- a", "[x", "it's",     "\"q\"", "line\nbreak", "tab\t", "null", "~",    "=",
        "<<",  "a:", "\xc3\xa9", "\\d",   "${a.b}",      "1:30",  "0x1f", "end ", "*a",
        "&b",  "!t", "%d",       "@e",    "`f",          ".5",    "\x01", "1_0"}) {
    root.set("k" + std::to_string(key++), text);
  }
  root.set("yes",
           ConfigNode::list({ConfigNode::list({1, ConfigNode::map(), ConfigNode::list()}), true}));
  ConfigNode inner = ConfigNode::map();
  inner.set("x y", 1e20);
  inner.set("", std::numeric_limits<double>::infinity());
  root.set("nest", ConfigNode::list({inner, ConfigNode(), -5, 0.5}));
  const ConfigNode back = load_yaml_text(to_yaml(root), "back.yaml");
  EXPECT_TRUE(back == root) << to_yaml(root);
}

TEST(Format, CanonicalJsonForgetsTheOrderOfKeys) {
  const ConfigNode a = load_yaml_text("{b: 0.1, a: [1, x], c: {z: null, y: true}}", "a");
  const ConfigNode b = load_yaml_text("{c: {y: true, z: null}, a: [1, x], b: 0.1}", "b");
  EXPECT_EQ(canonical_json(a), R"({"a":[1,"x"],"b":0.1,"c":{"y":true,"z":null}})");
  EXPECT_EQ(canonical_json(a), canonical_json(b));
}

}  // namespace
}  // namespace kvscope
