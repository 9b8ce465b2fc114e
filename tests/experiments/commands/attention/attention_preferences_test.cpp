#include "experiments/commands/attention/attention_preferences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "policies/profiles/head_roles.h"
#include "policies/profiles/profile_file.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

AttentionRecord sample_record() {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .window_queries = 6});
  run.generate(recorder, 3);
  return recorder.record();
}

TEST(AttentionPreferencesCommand, WritesANumberALayerThatTheAllocationReads) {
  const std::filesystem::path folder = fresh_folder("a");
  const AttentionRecord record = sample_record();
  write_attention(folder / "attention.h5", record);
  testing::internal::CaptureStdout();
  EXPECT_EQ(attention_preferences_command(
                {.file = folder / "attention.h5", .out = {}, .tau1 = 2, .tau2 = 0.5}),
            0);
  fflush(stdout);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr("last 6 queries"), HasSubstr("attention-preferences.yaml")));
  const HeadTable table(read_profile(folder / "attention-preferences.yaml", ProfileKind::kLayers));
  ASSERT_EQ(table.layers(), record.layers);
  ASSERT_EQ(table.heads(), 1);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    const double expected = std::sqrt(record.array("entropy.window").at(layer)) *
                            std::pow(record.array("variance.window").at(layer), 2.0);
    EXPECT_GT(expected, 0);
    EXPECT_NEAR(table.at(layer, 0), expected, 2e-5 * expected);
  }
}

TEST(AttentionPreferencesCommand, SaysWhatIsMissing) {
  const std::filesystem::path folder = fresh_folder("a");
  AttentionRecord record = sample_record();
  for (auto* arrays : {&record.arrays, &record.variances, &record.of_images}) {
    arrays->erase("variance.window");
  }
  write_attention(folder / "old.h5", record);
  try {
    attention_preferences_command({.file = folder / "old.h5"});
    ADD_FAILURE() << "expected a refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("old.h5"), HasSubstr("record it again")));
  }
  EXPECT_THROW(attention_preferences_command({.file = folder / "none.h5"}), Error);
  EXPECT_THROW(attention_preferences_command({.file = folder / "old.h5", .tau1 = 0}), Error);
}

}  // namespace
}  // namespace kvscope
