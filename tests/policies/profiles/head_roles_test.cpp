#include "policies/profiles/head_roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

std::optional<HeadTable> option(const std::string& text) {
  const ConfigNode node = yaml(text);
  Options options = component_options("policy.allocate", node);
  return head_table_option(options, {.key = "scores", .otherwise = "alternate"});
}

TEST(HeadTable, IsOfOneModel) {
  const HeadTable table({{1, 2}, {3, 4}, {5, 6}}, "t");
  EXPECT_EQ(refusal([&] { table.check({.layers = 3, .heads = 2}); }), "accepted");
  EXPECT_EQ(refusal([&] { table.check({.layers = 2, .heads = 2}); }), "accepted");  // cut short
  EXPECT_THAT(refusal([&] { table.check({.layers = 4, .heads = 2}); }), HasSubstr("3 layers x 2"));
  EXPECT_THAT(refusal([&] { table.check({.layers = 3, .heads = 1}); }), HasSubstr("has 3 x 1"));
}

TEST(HeadTable, ComesFromAListOrAFileOrNeither) {
  EXPECT_FALSE(option("{name: x}").has_value());
  EXPECT_FALSE(option("{name: x, scores: alternate}").has_value());
  EXPECT_EQ(option("{name: x, scores: [[1, 0.5], [2, 3]]}")->at(0, 1), 0.5);
  EXPECT_THAT(refusal([] { option("{name: x, scores: [[1, 2], [3]]}"); }),
              HasSubstr("layer 1 has 1 heads"));
  EXPECT_THAT(refusal([] { option("{name: x, scores: []}"); }), HasSubstr("an empty table"));
  EXPECT_THAT(refusal([] { option("{name: x, scores: 3}"); }), HasSubstr("policy.allocate.scores"));
  EXPECT_THAT(refusal([] { option("{name: x, scores: alternte}"); }),
              HasSubstr("the word 'alternate'"));
}

// A YAML file may name a profile beside itself.
TEST(HeadTable, RelativePathsBeginAtTheYamlFile) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "head_table_test";
  std::filesystem::create_directories(folder / "tables");
  write_profile(folder / "tables/a.yaml", {.kind = ProfileKind::kHeads,
                                           .shape = {.layers = 1, .heads = 2},
                                           .metric = {.name = "sparsity"},
                                           .values = {{7, 8}}});
  std::ofstream(folder / "policy.yaml") << "{name: x, scores: tables/a.yaml}\n";
  const ConfigNode node = load_yaml_file(folder / "policy.yaml");
  Options options = component_options("policy.allocate", node);
  EXPECT_EQ(head_table_option(options, {.key = "scores", .otherwise = "alternate"})->at(0, 1), 8);
}

TEST(LowestHeads, TakesTheFirstOfEqualOnes) {
  const HeadTable table({{0.5, 0.1}, {0.5, 0.9}, {0.0, 0.5}}, "t");
  const CacheGeometry geometry{.layers = 3, .heads = 2};
  using Roles = std::vector<std::vector<uint8_t>>;
  EXPECT_EQ(lowest_heads(table, geometry, 0), (Roles{{0, 0}, {0, 0}, {0, 0}}));
  EXPECT_EQ(lowest_heads(table, geometry, 3), (Roles{{1, 1}, {0, 0}, {1, 0}}));
  EXPECT_EQ(lowest_heads(table, geometry, 4), (Roles{{1, 1}, {1, 0}, {1, 0}}));
  EXPECT_EQ(lowest_heads(table, geometry, 6), (Roles{{1, 1}, {1, 1}, {1, 1}}));
}

}  // namespace
}  // namespace kvscope
