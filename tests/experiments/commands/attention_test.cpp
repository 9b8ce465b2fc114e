#include "experiments/commands/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "core/image/png.h"
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
  EXPECT_GT(read_png(folder / "attention-roles.png").picture.width, 100);
  EXPECT_THROW(attention_roles_command({.file = folder / "attention.h5", .drafters = 10}), Error);
  EXPECT_THROW(attention_roles_command({.file = folder / "none.h5"}), Error);
}

}  // namespace
}  // namespace kvscope
