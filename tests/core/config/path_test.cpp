#include "core/config/path.h"

#include <gtest/gtest.h>

#include "core/config/override.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

TEST(ConfigPath, StartsWhereItIsWritten) {
  const ConfigNode file = load_yaml_text("a: ../b/c.txt\nd: /e/f.txt\n", "/x/configs/y.yaml");
  EXPECT_EQ(path_of(file.at("a")), "/x/b/c.txt");
  EXPECT_EQ(path_of(file.at("d")), "/e/f.txt");
  EXPECT_EQ(path_of(parse_override("a=./c.txt").node()), "./c.txt");
  EXPECT_EQ(path_of(parse_override("a=/g/c.txt").node()), "/g/c.txt");
  EXPECT_EQ(path_of(ConfigNode("c.txt")), "c.txt");
}

}  // namespace
}  // namespace kvscope
