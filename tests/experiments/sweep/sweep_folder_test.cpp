#include "experiments/sweep/sweep_folder.h"

#include <fstream>

#include "sweep_testing.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// The folder that a command's results would go to, below `root`, and that it then has made.
SweepFolder folder_after(const fs::path& root,
                         const std::vector<std::string>& overrides,
                         bool multirun = true) {
  PointList list = points_of(tiny_model() + overrides, PointIdentity::kHashed, multirun);
  list.results_folder = (root / list.results_folder).string();
  const SweepFolder folder = sweep_folder(list, multirun);
  fs::create_directories(folder.path / "points");
  record_sweep(folder.path, list, "kvscope run " + overrides.front());
  return folder;
}

using Words = std::vector<std::string>;

TEST(SweepFolder, AnotherSweepGetsAFolderOfItsOwnAndFindsItAgain) {
  const ResultsFolder root("places");
  const Words tour = {"policy=full,snapkv", "budget.ratio=0.5,0.7"};
  const Words other = {"policy=full,snapkv,knorm", "budget.ratio=0.4,0.6", "gen.images=8"};
  const fs::path first = root.path() / "multirun" / "shapes_next_scale";
  EXPECT_EQ(folder_after(root.path(), tour).path, first);
  EXPECT_EQ(folder_after(root.path(), tour).note, "");
  for (int again = 0; again < 2; ++again) {
    const SweepFolder second = folder_after(root.path(), other);
    EXPECT_EQ(second.path, first.string() + "-2");
    EXPECT_THAT(second.note, testing::AllOf(HasSubstr("policy=full,snapkv"), HasSubstr("name=")));
  }
  EXPECT_EQ(folder_after(root.path(), {"policy=h2o", "budget.ratio=0.3"}).path,
            first.string() + "-3");
}

TEST(SweepFolder, TheSameSweepWithMoreOrFewerPointsOrImagesStays) {
  const ResultsFolder root("same");
  const fs::path first = root.path() / "multirun" / "shapes_next_scale";
  for (const Words& words :
       {Words{"policy=full,snapkv", "budget.ratio=0.5"},
        Words{"policy=full,snapkv", "budget.ratio=0.5", "gen.images=9", "gen.batch=1"},
        Words{"policy=full,snapkv,h2o", "budget.ratio=0.5,0.7"},
        Words{"policy=snapkv", "budget.ratio=0.7", "workers=2", "metrics=none"}}) {
    EXPECT_EQ(folder_after(root.path(), words).path, first) << words.back();
  }
}

TEST(SweepFolder, ANameIsTakenAsItIs) {
  const ResultsFolder root("named");
  const fs::path folder = root.path() / "multirun" / "mine";
  for (const Words& words : {Words{"policy=full", "name=mine"}, Words{"policy=h2o", "name=mine"}}) {
    const SweepFolder given = folder_after(root.path(), words);
    EXPECT_EQ(given.path, folder);
    EXPECT_EQ(given.note, "");
  }
}

TEST(SweepFolder, SinglePointsOfOneSettingAreTogether) {
  const ResultsFolder root("single");
  const fs::path first = root.path() / "outputs" / "shapes_next_scale";
  EXPECT_EQ(folder_after(root.path(), {"policy=snapkv"}, false).path, first);
  EXPECT_EQ(folder_after(root.path(), {"policy=full"}, false).path, first);
  EXPECT_EQ(folder_after(root.path(), {"policy=full", "seed=1"}, false).path,
            first.string() + "-2");
}

TEST(SweepFolder, AFolderThatDoesNotSayWhoseItIsIsTaken) {
  const ResultsFolder root("unknown");
  const fs::path first = root.path() / "multirun" / "shapes_next_scale";
  fs::create_directories(first / "points");
  std::ofstream(first / "sweep.json") << "{";
  EXPECT_EQ(folder_after(root.path(), {"policy=full"}).path, first);
}

}  // namespace
}  // namespace kvscope
