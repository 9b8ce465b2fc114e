#include "config_testing.h"
#include "core/config/compose.h"
#include "core/config/origins.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

/// The tree as lines with their depths, as `hydra --info defaults-tree` of Hydra 1.3 prints it.
std::string tree_of(const DefaultsResult& result) {
  std::string text;
  for (const DefaultsLine& line : result.tree) {
    if (line.text.starts_with("hydra/")) continue;
    text += std::string(2 * line.depth, ' ') + line.text + "\n";
  }
  return text;
}

TEST(DefaultsTree, IsHydras) {
  const ConfigFolder folder("defaults_tree");
  folder.write("config.yaml",
               "defaults:\n  - server: apache\n  - db@a: mysql\n  - db@b: mysql\n"
               "  - optional none: x\n  - other: null\n  - _self_\n  - plain\nx: 1\n");
  folder.write("plain.yaml", "p: 1\n");
  folder.write("other/o.yaml", "o: 1\n");
  folder.write("server/apache.yaml",
               "defaults:\n  - _self_\n  - /db@db: pg\n  - site: [s1, s2]\nname: a\n");
  folder.write("server/site/s1.yaml", "s1: 1\n");
  folder.write("server/site/s2.yaml", "s2: 1\n");
  folder.write("db/mysql.yaml", "defaults: [base]\nname: mysql\n");
  folder.write("db/pg.yaml", "name: pg\n");
  folder.write("db/base.yaml", "port: 1\n");
  ComposeRequest request;
  request.folders = {folder.path()};
  ConfigRepository repository(request.folders);
  const DefaultsResult result = defaults_of(request, repository);
  // Printed by Hydra 1.3.8 for the same files, but for its own configs.
  EXPECT_EQ(tree_of(result),
            "<root>:\n"
            "    _self_\n"
            "  config:\n"
            "    server: apache:\n"
            "      _self_\n"
            "      db@server.db: pg\n"
            "      server/site/s1\n"
            "      server/site/s2\n"
            "    db@a: mysql:\n"
            "      db/base\n"
            "      _self_\n"
            "    db@b: mysql:\n"
            "      db/base\n"
            "      _self_\n"
            "    none: x\n"
            "    other: null\n"
            "    _self_\n"
            "    plain\n");
  EXPECT_THAT(result.entries.back().chosen_at, HasSubstr("config.yaml:8:"));
}

TEST(RemarkedYaml, HasALineAValueAndItsPlace) {
  ConfigNode node = ConfigNode::map();
  node.set_path("a.b", 1);
  node.set_path("a.list", ConfigNode::list({"x, y", 2, ConfigNode::list({})}));
  node.set("text", "it: is");
  node.set("empty", ConfigNode::map());
  EXPECT_EQ(to_remarked_yaml(node, [](const ConfigNode& value) { return kind_name(value.kind()); }),
            "a:\n"
            "  b: 1                   # an integer\n"
            "  list: [\"x, y\", 2, []]  # a list\n"
            "text: \"it: is\"           # a string\n"
            "empty: {}                # a mapping\n");
}

}  // namespace
}  // namespace kvscope
