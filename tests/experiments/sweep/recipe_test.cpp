// The recipes of published numbers: each goes with a model of its family, and says what departs.
#include <fstream>

#include "core/base/error.h"
#include "core/config/repository.h"
#include "core/models/image_seed.h"
#include "experiments/sweep/recipe_settings.h"
#include "sweep_testing.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

fs::path prompts_file() {
  const fs::path file = test_file("recipe_prompts.txt");
  std::ofstream(file) << "a red circle\na blue square\n";
  return file;
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names = ConfigRepository({data_root() / "configs"}).options("recipe");
  std::erase(names, "none");
  return names;
}

class EveryRecipe : public testing::TestWithParam<std::string> {};

TEST_P(EveryRecipe, SaysWhereItsNumbersComeFrom) {
  ConfigRepository repository({data_root() / "configs"});
  const RecipeSettings recipe = recipe_settings(repository.load("recipe/" + GetParam())->body);
  EXPECT_EQ(recipe.name, GetParam());
  for (const std::string& text : {recipe.numbers, recipe.source, recipe.prompts, recipe.seeds,
                                  recipe.size, recipe.picture, recipe.judge, recipe.known}) {
    EXPECT_FALSE(text.empty());
  }
  EXPECT_TRUE(recipe.departures.empty());
}

TEST_P(EveryRecipe, PlansWithItsModelsAndDepartsInTheNumberOfPromptsAlone) {
  ConfigRepository repository({data_root() / "configs"});
  const RecipeSettings recipe = recipe_settings(repository.load("recipe/" + GetParam())->body);
  if (recipe.models.empty()) GTEST_SKIP() << "of a model that kvscope does not have";
  for (const std::string& model : recipe.models) {
    SCOPED_TRACE(model);
    std::vector<std::string> overrides = {"recipe=" + GetParam(), "model=" + model};
    if (repository.load("recipe/" + GetParam())->body.find("prompts.source") != nullptr) {
      overrides.push_back("prompts.file=" + prompts_file().string());
    }
    if (model == "llamagen_xl_t2i") overrides.emplace_back("model.picture.grid=[16,16]");
    const Point point = points_of(overrides, PointIdentity::kNone, false).points.front();
    EXPECT_GT(point.kept_tokens(), 0);
    std::vector<std::string> departures = recipe_settings(point.config).departures;
    std::erase_if(departures, [](const auto& text) { return text.find(" prompts ") != text.npos; });
    EXPECT_THAT(departures, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Each,
                         EveryRecipe,
                         testing::ValuesIn(recipe_names()),
                         [](const auto& test) { return test.param; });

TEST(Recipe, WhatDepartsIsSaidAndKept) {
  const PointList list = points_of(
      std::vector<std::string>{"recipe=infinity_geneval", "prompts.file=" + prompts_file().string(),
                               "gen.cfg=3", "seed=7"} +
          tiny_model() + std::vector<std::string>{"gen.images=2"},
      PointIdentity::kNone, false);
  const RecipeSettings recipe = recipe_settings(list.points.front().config);
  EXPECT_THAT(recipe.departures, testing::ElementsAre("cfg 3 instead of 4", "seed 7 instead of 0",
                                                      "2 prompts instead of 553",
                                                      "16x16 pixels instead of 1024x1024"));
  EXPECT_THAT(list.notes, Contains(HasSubstr("recipe infinity_geneval with cfg 3 instead of 4")));
  const PointList other =
      points_of(std::vector<std::string>{"recipe=janus_geneval", "prompts.source=shapes"} +
                    tiny_model() + std::vector<std::string>{"gen.images=1"},
                PointIdentity::kNone, false);
  EXPECT_THAT(recipe_settings(other.points.front().config).departures,
              testing::IsSupersetOf({"prompts.source shapes instead of file",
                                     "model shapes_next_scale instead of janus_pro_1b, "
                                     "janus_pro_7b"}));
}

TEST(Recipe, IsNoPartOfWhatAPointIs) {
  const std::vector<std::string> same = {"gen.cfg=4", "gen.replicas=4", "gen.seed_rule=fixed",
                                         "prompts.source=shapes", "gen.images=1"};
  const std::string plain = points_of(tiny_model() + same).points.front().hash;
  const std::string named =
      points_of(std::vector<std::string>{"recipe=infinity_geneval"} + tiny_model() + same)
          .points.front()
          .hash;
  EXPECT_EQ(plain, named);
}

TEST(SeedRule, IsPartOfAPointUnlessHashed) {
  const auto hash_with = [](const std::vector<std::string>& more) {
    return points_of(tiny_model() + more).points.front().hash;
  };
  EXPECT_EQ(hash_with({"gen.seed_rule=hashed"}), hash_with({}));
  EXPECT_NE(hash_with({"gen.seed_rule=fixed"}), hash_with({}));
  EXPECT_NE(hash_with({"gen.seed_rule=fixed"}), hash_with({"gen.seed_rule=index"}));
}

TEST(SeedRule, SaysTheSeedOfEveryImage) {
  const auto seeds_of = [](const std::string& rule) {
    const Point point =
        points_of(tiny_model() + std::vector<std::string>{"gen.images=2", "gen.replicas=2",
                                                          "seed=5", "gen.seed_rule=" + rule},
                  PointIdentity::kNone)
            .points.front();
    std::vector<uint64_t> seeds;
    for (uint64_t image = 0; image < 4; ++image) seeds.push_back(point.seed_of(image));
    return seeds;
  };
  constexpr uint64_t kReplica = uint64_t{1} << 32;
  EXPECT_THAT(seeds_of("fixed"), testing::ElementsAre(5, 6, 5, 6));
  EXPECT_THAT(seeds_of("index"), testing::ElementsAre(5, 5 + kReplica, 6, 6 + kReplica));
  std::vector<uint64_t> hashed;
  for (const uint64_t prompt : {0, 1}) {
    for (const uint64_t replica : {0, 1}) {
      hashed.push_back(image_generator(5, prompt, replica).current_seed());
    }
  }
  EXPECT_EQ(seeds_of("hashed"), hashed);
}

}  // namespace
}  // namespace kvscope
