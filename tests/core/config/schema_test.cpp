#include "core/config/schema.h"

#include "config_testing.h"
#include "core/config/hash.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ConfigSchema schema() {
  return {
      {.key = "seed", .type = KeyType::kInt, .help = "base seed", .minimum = 0},
      {.key = "budget.ratio",
       .type = KeyType::kFloat,
       .help = "kept part",
       .minimum = 0,
       .maximum = 1,
       .default_text = "1.0",
       .nullable = true},
      {.key = "policy.score.pool", .help = "pooling", .allowed = {"max", "avg"}},
      {.key = "policy.score.pool_kernel",
       .type = KeyType::kInt,
       .help = "width",
       .unit = "tokens",
       .minimum = 1,
       .maximum = 31,
       .default_text = "5"},
      {.key = "gen.cfg", .type = KeyType::kNumberOrList, .help = "guidance", .minimum = 0},
      {.key = "metrics.*.weight", .type = KeyType::kFloat, .help = "weight"},
      {.key = "paths", .type = KeyType::kOpen, .help = "folders", .is_volatile = true},
      {.key = "log.level", .type = KeyType::kString, .help = "level", .is_volatile = true},
  };
}

std::vector<std::string> findings(const std::string& yaml) {
  return schema_findings(load_yaml_text(yaml, "c.yaml"), schema());
}

TEST(Schema, AcceptsWhatItKnows) {
  EXPECT_THAT(
      findings("seed: 3\nbudget: {ratio: null}\npolicy: {score: {pool: max, pool_kernel: 5}}\n"
               "gen: {cfg: [1, 2.5]}\nmetrics: {psnr: {weight: 1}}\npaths: {any: {thing: [1]}}\n"),
      IsEmpty());
  EXPECT_THAT(findings("policy: null\n"), IsEmpty());
}

TEST(Schema, UnknownKeysNameThePlaceTheNearestAndItsRange) {
  EXPECT_THAT(findings("policy:\n  score:\n    pool_kernal: 5\n"),
              ElementsAre("c.yaml:3:18: unknown key 'policy.score.pool_kernal'. Did you mean "
                          "'policy.score.pool_kernel'? (int, 1..31, tokens, default 5)"));
  EXPECT_THAT(findings("polcy: {score: 1}\n"), ElementsAre(HasSubstr("Did you mean 'policy'?")));
  EXPECT_THAT(findings("policy: {ratio: 0.1}\n"),
              ElementsAre(HasSubstr("Did you mean 'budget.ratio'?")));
  EXPECT_THAT(findings("metrics: {psnr: {wieght: 1}}\n"),
              ElementsAre(HasSubstr("'metrics.psnr.weight'")));
}

TEST(Schema, WrongTypesAndRangesAreAllReported) {
  EXPECT_THAT(
      findings(
          "seed: 1.5\nbudget: {ratio: 1.5}\npolicy: {score: {pool: mux}}\ngen: {cfg: [1, -2]}\n"),
      ElementsAre(HasSubstr("'seed' must be int, at least 0, got a float '1.5'"),
                  HasSubstr("'budget.ratio' is 1.5; allowed: float, 0..1"),
                  HasSubstr("Did you mean 'max'?"), HasSubstr("'gen.cfg' is -2")));
  EXPECT_THAT(findings("budget: 3\n"), ElementsAre(HasSubstr("'budget' must be a mapping")));
  EXPECT_THAT(findings("seed: ???\n"), ElementsAre(HasSubstr("give it as seed=")));
  EXPECT_THAT(findings("budget: {ratio: .nan}\n"), ElementsAre(HasSubstr("nan")));
  EXPECT_THAT(error_of([] { validate(load_yaml_text("sed: 1\nx: 2", "c.yaml"), schema()); }),
              HasSubstr("\n"));
}

TEST(PointHash, ForgetsVolatileKeysAndNothingElse) {
  const std::vector<std::string> volatiles = volatile_keys(schema());
  const auto hash = [&](const std::string& yaml,
                        const std::vector<std::pair<std::string, std::string>>& digests = {}) {
    return point_hash(load_yaml_text(yaml, "c"), volatiles, digests);
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
