// Relative paths start at the current folder on a command line, and at a file's own folder in it.
#include "experiments/sweep/config_paths.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/base/error.h"
#include "sweep_testing.h"
#include "test_paths.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// The current folder for as long as it lives.
class CurrentFolder {
 public:
  explicit CurrentFolder(const fs::path& folder) : before_(fs::current_path()) {
    fs::create_directories(folder);
    fs::current_path(folder);
  }
  ~CurrentFolder() { fs::current_path(before_); }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;

 private:
  fs::path before_;
};

Point point_of(const std::vector<std::string>& overrides, const fs::path& config_folder = {}) {
  const ConfigArguments arguments{.config_folder = config_folder, .overrides = overrides};
  return list_points(compose_request(arguments), data_root().string(), PointIdentity::kNone)
      .points.front();
}

std::string weights_of(const Point& point) {
  return point.config.at("model.weights").as_string();
}

TEST(ConfigPaths, ShippedModelsAreFoundFromAnyFolderUnderOneName) {
  const fs::path elsewhere = fs::canonical(testing::TempDir()) / "kvscope_elsewhere";
  for (const fs::path& folder : {data_root(), elsewhere}) {
    const CurrentFolder current(folder);
    for (const char* model : {"shapes_next_scale", "shapes_next_token"}) {
      const std::string weights = weights_of(point_of({std::string("model=") + model}));
      EXPECT_EQ(weights, std::string("models/") + model + "/model.safetensors");
      EXPECT_TRUE(fs::exists(data_root() / weights));
    }
  }
  fs::remove_all(elsewhere);
}

TEST(ConfigPaths, OnACommandLineTheyStartAtTheCurrentFolder) {
  const fs::path elsewhere = fs::canonical(testing::TempDir()) / "kvscope_current";
  {
    const CurrentFolder current(elsewhere);
    EXPECT_EQ(weights_of(point_of({"model.weights=./my.safetensors"})),
              (elsewhere / "my.safetensors").string());
    EXPECT_EQ(weights_of(point_of({"model.weights=/x/y.safetensors"})), "/x/y.safetensors");
    EXPECT_EQ(weights_of(point_of({"model.weights=random"})), "random");
    std::ofstream(elsewhere / "p.txt") << "one\n\ntwo\r\n";
    const Point point = point_of({"prompts=file", "prompts.file=p.txt", "gen.images=null"});
    ASSERT_EQ(point.prompts.size(), 2);
    EXPECT_EQ(point.prompts[1].text, "two");
    EXPECT_EQ(point.prompts[1].place, "p.txt:3");
    EXPECT_EQ(point.config.at("prompts.file").as_string(), "p.txt") << "as it was typed";
  }
  {
    const CurrentFolder current(data_root() / "models");
    EXPECT_EQ(weights_of(point_of({"model.weights=shapes_next_scale/model.safetensors"})),
              "models/shapes_next_scale/model.safetensors");
  }
  fs::remove_all(elsewhere);
}

TEST(ConfigPaths, InAFileTheyStartAtItsFolder) {
  const fs::path mine = fs::canonical(testing::TempDir()) / "kvscope_mine";
  fs::create_directories(mine / "model");
  fs::create_directories(mine / "prompts");
  fs::create_directories(mine / "policy");
  std::ofstream(mine / "model/mine.yaml")
      << "defaults: [shapes_next_scale, _self_]\nweights: w.safetensors\ntokenizer: ../t.model\n";
  std::ofstream(mine / "prompts/mine.yaml")
      << "source: file\nfile: ../p.txt\nlist: null\nseed: 0\n";
  std::ofstream(mine / "p.txt") << "a red circle\n";
  std::ofstream(mine / "policy/mine.yaml")
      << "defaults: [scalekv, _self_]\nname: mine\nallocate: {roles: ../roles.yaml}\n";
  fs::copy_file(data_root() / "configs/data/roles/shapes_next_scale.yaml", mine / "roles.yaml",
                fs::copy_options::overwrite_existing);
  const Point point = point_of({"model=mine", "prompts=mine", "policy=mine", "gen.images=1"}, mine);
  EXPECT_EQ(weights_of(point), (mine / "model/w.safetensors").string());
  EXPECT_EQ(point.config.at("model.tokenizer").as_string(), (mine / "t.model").string());
  EXPECT_EQ(point.prompts.front().text, "a red circle");
  EXPECT_THAT(point.policy_files, testing::Contains(mine / "roles.yaml"));
  fs::remove_all(mine);
}

TEST(ConfigPaths, InAConfigurationsOwnSweepTheyStartAtItsFolder) {
  const fs::path mine = fs::canonical(testing::TempDir()) / "kvscope_swept";
  fs::create_directories(mine / "experiment");
  std::ofstream(mine / "experiment/mine.yaml")
      << "# @package _global_\nhydra:\n  sweeper:\n    params:\n"
         "      model.weights: a.safetensors,../b.safetensors\n      prompts.file: p.txt\n";
  std::ofstream(mine / "experiment/p.txt") << "a red circle\n";
  const auto points = [&](const std::vector<std::string>& more) {
    const ConfigArguments arguments{
        .config_folder = mine,
        .overrides =
            std::vector<std::string>{"+experiment=mine", "prompts=file", "gen.images=1"} + more,
        .multirun = true};
    return list_points(compose_request(arguments), data_root().string(), PointIdentity::kNone)
        .points;
  };
  const std::vector<Point> swept = points({});
  ASSERT_EQ(swept.size(), 2);
  EXPECT_EQ(weights_of(swept[0]), (mine / "experiment/a.safetensors").string());
  EXPECT_EQ(weights_of(swept[1]), (mine / "b.safetensors").string());
  EXPECT_EQ(swept[0].prompts.front().text, "a red circle");
  const fs::path elsewhere = fs::canonical(testing::TempDir()) / "kvscope_typed";
  {
    const CurrentFolder current(elsewhere);
    const std::vector<Point> typed = points({"model.weights=c.safetensors"});
    ASSERT_EQ(typed.size(), 1);
    EXPECT_EQ(weights_of(typed[0]), (elsewhere / "c.safetensors").string());
  }
  fs::remove_all(elsewhere);
  fs::remove_all(mine);
}

TEST(ConfigPaths, WhatCanBeReadOnlyOnceServesEveryPointOfASweep) {
  const fs::path pipe = fs::path(testing::TempDir()) / "kvscope_prompts_pipe";
  fs::remove(pipe);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer([&] { std::ofstream(pipe) << "a red circle\na blue square\n"; });
  const PointList list = points_of(
      tiny_model() + std::vector<std::string>{"policy=full,h2o", "budget.tokens=6", "prompts=file",
                                              "prompts.file=" + pipe.string(), "gen.images=2"});
  ASSERT_EQ(list.points.size(), 2);
  for (const Point& point : list.points) {
    ASSERT_EQ(point.prompts.size(), 2);
    EXPECT_EQ(point.prompts[1].text, "a blue square");
  }
  fs::remove(pipe);
}

TEST(ConfigPaths, TheFolderOfConfigurationsMayEndInASlash) {
  const std::string folder = (fs::path(kSourceDir) / "configs/").string();
  setenv("KVSCOPE_CONFIGS", folder.c_str(), 1);
  const fs::path root = data_root();
  const std::string weights = weights_of(point_of({}));
  unsetenv("KVSCOPE_CONFIGS");
  EXPECT_EQ(root, fs::path(kSourceDir));
  EXPECT_EQ(weights, "models/shapes_next_scale/model.safetensors");
}

}  // namespace
}  // namespace kvscope
