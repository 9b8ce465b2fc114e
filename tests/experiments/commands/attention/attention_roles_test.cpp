#include "experiments/commands/attention/attention_roles.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/selectivity.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "core/image/png.h"
#include "policies/profiles/profile_file.h"
#include "policies/registry.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TEST(AttentionRolesCommand, PrintsRolesAndDrawsTheMapBesideTheFile) {
  const std::filesystem::path folder = fresh_folder("a");
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  write_attention(folder / "attention.h5", recorder.record());
  testing::internal::CaptureStdout();
  EXPECT_EQ(attention_roles_command({.file = folder / "attention.h5", .drafters = 4}), 0);
  fflush(stdout);
  const std::string printed = testing::internal::GetCapturedStdout();
  size_t drafters = 0;
  for (size_t at = printed.find("drafter "); at != std::string::npos;
       at = printed.find("drafter ", at + 1)) {
    ++drafters;
  }
  EXPECT_EQ(drafters, 4) << printed;
  EXPECT_THAT(printed, AllOf(HasSubstr("refiner"), HasSubstr("(5x5)")));
  EXPECT_TRUE(std::filesystem::exists(folder / "attention-roles.svg"));
  EXPECT_GT(read_png(folder / "attention-roles.png").image.width, 100);
  EXPECT_THAT(printed, HasSubstr("attention-roles.yaml"));
  EXPECT_THROW(attention_roles_command({.file = folder / "attention.h5", .drafters = 10}), Error);
  EXPECT_THROW(attention_roles_command({.file = folder / "none.h5"}), Error);
}

TEST(AttentionRolesCommand, ANumberThatLeavesScalesWithoutADrafterIsRefused) {
  const std::filesystem::path folder = fresh_folder("few");
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  write_attention(folder / "attention.h5", recorder.record());
  const AttentionRolesOptions few = {.file = folder / "attention.h5", .drafters = 1};
  EXPECT_THAT(
      [&] { attention_roles_command(few); },
      testing::ThrowsMessage<Error>(AllOf(HasSubstr("--drafters 1: 1 drafters leave scales"),
                                          HasSubstr("is the fewest that leaves none"))));
  EXPECT_FALSE(std::filesystem::exists(folder / "attention-roles.yaml"));
  const int64_t enough = drafters_for_every_group(layer_roles(read_attention(few.file), 1));
  testing::internal::CaptureStdout();
  EXPECT_EQ(attention_roles_command({.file = few.file, .drafters = 1, .allow_none = true}), 0);
  EXPECT_EQ(attention_roles_command({.file = few.file, .drafters = enough}), 0);
  testing::internal::GetCapturedStdout();
  EXPECT_TRUE(groups_without_drafter(layer_roles(read_attention(few.file), enough)).empty());
  EXPECT_FALSE(groups_without_drafter(layer_roles(read_attention(few.file), enough - 1)).empty());
}

TEST(AttentionRolesCommand, WritesTheFileThatThePolicyReads) {
  const std::filesystem::path folder = fresh_folder("roles");
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  write_attention(folder / "attention.h5", recorder.record());
  testing::internal::CaptureStdout();
  EXPECT_EQ(attention_roles_command({.file = folder / "attention.h5", .drafters = 4}), 0);
  testing::internal::GetCapturedStdout();
  const std::filesystem::path path = folder / "attention-roles.yaml";
  const Profile file = read_profile(path, ProfileKind::kRoles);
  EXPECT_EQ(file.shape.layers, run.layers);
  EXPECT_EQ(file.shape.heads, run.heads);
  EXPECT_EQ(file.shape.steps, std::ssize(run.steps));
  EXPECT_EQ(file.source.record, "attention.h5");
  ASSERT_EQ(file.scales.size(), run.steps.size() - 1) << "the first has no history";
  EXPECT_EQ(file.scales[2].grid, "5x5");
  const LayerRoles roles = layer_roles(read_attention(folder / "attention.h5"), 4);
  int64_t drafters = 0;
  for (const RolesOfScale& scale : file.scales) {
    drafters += std::ssize(scale.drafters);
    for (int64_t layer = 0; layer < file.shape.layers; ++layer) {
      const auto pair = static_cast<size_t>(layer * file.shape.steps + scale.first_step);
      const bool drafts = std::ranges::count(scale.drafters, layer) > 0;
      EXPECT_EQ(drafts, roles.role[pair] == LayerRole::kDrafter);
      EXPECT_NEAR(scale.z_score[layer], roles.z_score[pair], 1e-6);
    }
  }
  EXPECT_EQ(drafters, 4);
  const CacheGeometry geometry{
      .layers = run.layers, .heads = run.heads, .head_dim = run.head_dim, .steps = run.steps};
  const ConfigNode policy = load_yaml_text(
      fmt::format("{{allocate: {{name: drafter_refiner, roles: {}}}}}", path.string()), "test");
  const Plan plan = make_plan(geometry, policy, Budget::of_tokens(10));
  for (int64_t layer = 0; layer < run.layers; ++layer) {  // after scale 2, before scale 3
    const bool drafts = std::ranges::count(file.scales.back().drafters, layer) > 0;
    EXPECT_EQ(plan.kept(2, layer, 0) > 10, drafts && file.scales.back().drafters.size() < 3);
  }
}

}  // namespace
}  // namespace kvscope
