#include "core/config/hash.h"

#include "config_testing.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

TEST(PointHash, ForgetsVolatileKeysAndNothingElse) {
  const auto hash = [&](const std::string& yaml,
                        const std::vector<std::pair<std::string, std::string>>& digests = {}) {
    return point_hash(load_yaml_text(yaml, "c"), {"paths", "log.level"}, digests);
  };
  const std::string base = hash("{seed: 1, gen: {cfg: 4}, paths: {out: a}, log: {level: info}}");
  EXPECT_EQ(base.size(), 12);
  EXPECT_EQ(base, hash("{log: {level: debug}, paths: {out: b, more: 1}, gen: {cfg: 4}, seed: 1}"));
  EXPECT_NE(base, hash("{seed: 2, gen: {cfg: 4}, log: {}}"));
  EXPECT_NE(base, hash("{seed: 1, gen: {cfg: 4.0}, log: {}}"));
  EXPECT_NE(base, hash("{seed: 1, gen: {cfg: 4}, log: {}}", {{"weights", "abc"}}));
}

}  // namespace
}  // namespace kvscope
