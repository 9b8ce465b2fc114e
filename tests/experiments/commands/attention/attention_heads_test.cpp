#include "experiments/commands/attention/attention_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "analysis/attention/attention_file.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "policies/profiles/head_roles.h"
#include "policies/profiles/profile_file.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

AttentionRecord recorded(AttentionRun run) {
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  return recorder.record();
}

AttentionRun token_run() {
  AttentionRun run;
  run.line_tokens = 6;
  run.steps = next_token_steps(5, 24);
  return run;
}

std::string printed(const AttentionHeadsOptions& options) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(attention_heads_command(options), 0);
  fflush(stdout);
  return testing::internal::GetCapturedStdout();
}

TEST(AttentionHeadsCommand, WritesTheSparsityThatTheAllocationReadsAndDrawsIt) {
  const std::filesystem::path folder = fresh_folder("a");
  const AttentionRecord record = recorded(token_run());
  write_attention(folder / "attention.h5", record);
  const Neighbourhood near{.recent_tokens = 4, .lines_above = 1, .columns_beside = 1};
  const std::string text =
      printed({.file = folder / "attention.h5", .neighbourhood = near, .threshold = 0.3});
  const Profile profile = read_profile(folder / "attention-heads.yaml", ProfileKind::kHeads);
  EXPECT_EQ(profile.shape, (ProfileShape{.layers = 3,
                                         .heads = 3,
                                         .head_dim = 24,
                                         .steps = std::ssize(record.steps),
                                         .next_token = true}));
  EXPECT_EQ(profile.metric.name, "sparsity");
  EXPECT_EQ(profile.metric.parameters.at("recent_tokens"), 4);
  EXPECT_EQ(profile.source.prompts, record.images);
  EXPECT_EQ(profile.source.record, "attention.h5");
  std::ifstream stream(folder / "attention.h5", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  EXPECT_EQ(profile.source.record_sha256, sha256_hex(bytes));
  const HeadTable table(profile);
  ASSERT_EQ(table.layers(), record.layers);
  ASSERT_EQ(table.heads(), record.heads);
  const std::vector<double> expected = head_sparsity(record, near);
  int64_t spatial = 0;
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    for (int64_t head = 0; head < record.heads; ++head) {
      const double value = expected[static_cast<size_t>(layer * record.heads + head)];
      EXPECT_NEAR(table.at(layer, head), value, 1e-5);
      spatial += value < 0.3 ? 1 : 0;
    }
  }
  EXPECT_THAT(text, AllOf(HasSubstr("spatial heads"), HasSubstr("attention-heads.yaml"),
                          HasSubstr("s: spatial (" + std::to_string(spatial) + " of 9 heads)")));
  EXPECT_TRUE(std::filesystem::exists(folder / "attention-heads.svg"));
  EXPECT_TRUE(std::filesystem::exists(folder / "attention-heads.png"));
}

TEST(AttentionHeadsCommand, TakesTheVarianceOfANextScaleModel) {
  const std::filesystem::path folder = fresh_folder("a");
  const AttentionRecord record = recorded({});
  write_attention(folder / "attention.h5", record);
  const std::string text =
      printed({.file = folder / "attention.h5", .out = folder / "map.yaml", .share = 1.0 / 3});
  EXPECT_THAT(text, HasSubstr("c: contextual (3 of 9 heads)"));
  const HeadTable table(read_profile(folder / "map.yaml", ProfileKind::kHeads));
  EXPECT_NEAR(table.at(1, 2), head_variance(record)[5], 1e-5);
}

TEST(AttentionHeadsCommand, SaysWhatIsWrong) {
  const std::filesystem::path folder = fresh_folder("a");
  write_attention(folder / "scales.h5", recorded({}));
  const auto refusal = [](const AttentionHeadsOptions& options) -> std::string {
    try {
      attention_heads_command(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({.file = folder / "scales.h5", .metric = "sparsity"}),
              AllOf(HasSubstr("scales.h5"), HasSubstr("next-token")));
  EXPECT_THAT(refusal({.file = folder / "scales.h5", .metric = "varience"}), HasSubstr("variance"));
  EXPECT_THAT(refusal({.file = folder / "scales.h5", .share = 1.5}), HasSubstr("from 0 to 1"));
  EXPECT_THAT(refusal({.file = folder / "none.h5"}), HasSubstr("none.h5"));
}

}  // namespace
}  // namespace kvscope
