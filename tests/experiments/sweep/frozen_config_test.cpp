#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/base/text_file.h"
#include "experiments/results/result_file.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string policy_with_window(int window) {
  return "name: mine\nsummary: a policy of one's own\nsource: this test\n"
         "allocate: {name: uniform}\nscore: {name: window_attention, window: " +
         std::to_string(window) +
         "}\nprotect: []\nstore: {name: as_is}\nschedule: {name: each_scale}\nread: all\n";
}

TEST(FrozenConfig, AYamlThatChangesWhileASweepRunsChangesNoPointOfIt) {
  const ResultsFolder folder("frozen");
  const ResultsFolder configs("frozen_configs");
  const fs::path file = configs.path() / "policy" / "mine.yaml";
  fs::create_directories(file.parent_path());
  write_file_atomically(file, policy_with_window(2));
  const ConfigArguments arguments{
      .config_folder = configs.path(),
      .overrides = tiny_model() + std::vector<std::string>{"policy=full,mine", "budget.tokens=6",
                                                           "gen.images=1", "metrics=none"},
      .multirun = true};
  const Sweep sweep{
      .list = list_points(compose_request(arguments), data_root().string(), PointIdentity::kHashed),
      .folder = folder.path(),
      .root = data_root().string(),
      .command_line = "kvscope run -m"};
  write_file_atomically(file, policy_with_window(1));
  ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
  const Point& mine = sweep.list.points.at(1);
  EXPECT_EQ(mine.config.at("policy.score.window").as_int64(), 2);
  const auto kept =
      text_of_file(folder.path() / "points" / mine.hash.substr(0, 12) / "config.yaml");
  EXPECT_THAT(kept.value_or(""), testing::HasSubstr("window: 2"));
  EXPECT_THAT(results_of(mine, folder).point.config_yaml, testing::HasSubstr("window: 2"));

  const PointList later =
      list_points(compose_request(arguments), data_root().string(), PointIdentity::kHashed);
  EXPECT_NE(later.points.at(1).hash, mine.hash);
}

}  // namespace
}  // namespace kvscope
