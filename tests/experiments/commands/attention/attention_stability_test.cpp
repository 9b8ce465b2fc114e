#include "experiments/commands/attention/attention_stability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/attention_recorder.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string recorded(const fs::path& file, int64_t generations, AttentionRun run = {}) {
  AttentionRecorder recorder({.guided = true});
  for (int64_t seed = 0; seed < generations; ++seed) {
    run.generate(recorder, static_cast<uint64_t>(seed));
  }
  write_attention(file, recorder.record());
  return file.string();
}

TEST(AttentionStability, TheMostImagesAgreeWithThemselves) {
  const fs::path folder = fresh_folder("stability");
  const std::string few = recorded(folder / "few.h5", 2);
  const std::string many = recorded(folder / "many.h5", 4);
  const Answer found = answer({"attention", "stability", many, few, "--drafters", "3"});
  EXPECT_EQ(found.exit_code, 0) << found.err;
  // Rows by rising number of images, whatever the order of the files: 2 per generation.
  EXPECT_LT(found.out.find("\n     4"), found.out.find("\n     8")) << found.out;
  const size_t last = found.out.rfind("1.000     0.0000        0.0000");
  EXPECT_NE(last, found.out.npos) << found.out;
}

TEST(AttentionStability, OneRecordIsComparedWithItsOwnFirstImages) {
  const fs::path folder = fresh_folder("stability");
  const std::string all = recorded(folder / "all.h5", 3);  // 6 images
  const Answer found = answer({"attention", "stability", all, "--drafters", "3"});
  EXPECT_EQ(found.exit_code, 0) << found.err;
  for (const char* images : {"\n     1", "\n     2", "\n     4", "\n     6"}) {
    EXPECT_THAT(found.out, HasSubstr(images));
  }
  // Its first two images are those of a record of two.
  const std::string two = recorded(folder / "two.h5", 1);
  const Answer both = answer({"attention", "stability", all, two, "--drafters", "3"});
  const size_t row = both.out.find("\n     2");
  ASSERT_NE(row, both.out.npos) << both.out;
  EXPECT_THAT(found.out, HasSubstr(both.out.substr(row, both.out.find('\n', row + 1) - row)));
}

TEST(AttentionStability, OneImageAndUnlikeModelsAreRefused) {
  const fs::path folder = fresh_folder("stability");
  const std::string one = recorded(folder / "one.h5", 2);
  AttentionRun single;
  single.rows = 2;
  EXPECT_EQ(answer({"attention", "stability", recorded(folder / "single.h5", 1, single)}).exit_code,
            2);
  AttentionRun other;
  other.steps = next_scale_steps({{1, 1}, {2, 2}, {3, 3}});
  const Answer unlike =
      answer({"attention", "stability", one, recorded(folder / "other.h5", 2, other)});
  EXPECT_EQ(unlike.exit_code, 3);
  EXPECT_THAT(unlike.err, HasSubstr("is of another model or image size than"));
}

TEST(AttentionDensity, DrawsAndRefusesWhatHasTooFewScales) {
  const fs::path folder = fresh_folder("density");
  AttentionRun run;
  run.steps = next_scale_steps({{1, 1}, {2, 2}, {2, 3}, {3, 3}, {3, 4}, {4, 4}, {5, 5}, {5, 6}});
  const std::string file = recorded(folder / "attention.h5", 2, run);
  const std::string out = (folder / "density.svg").string();
  const Answer made = answer({"attention", "density", file, "--out", out});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(fs::exists(out));
  const Answer few = answer({"attention", "density", recorded(folder / "few.h5", 2), "--out", out});
  EXPECT_EQ(few.exit_code, 3);
  EXPECT_THAT(few.err, HasSubstr("at least 7 scales"));
  EXPECT_EQ(answer({"attention", "density", file, "--out", "x.jpg"}).exit_code, 2);
}

}  // namespace
}  // namespace kvscope
