#include "experiments/commands/h5_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/attention_recorder.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(H5Check, SaysWhatIsInAFileAndWhetherItIsWhole) {
  const fs::path folder = fresh_folder("files");
  const fs::path point = write_sample_point(folder, sample_point("snapkv", 0.1, 3), 20);
  AttentionRun run;
  AttentionRecorder recorder({.guided = true});
  run.generate(recorder, 3);
  write_attention(folder / "attention.h5", recorder.record());
  const std::string result = (point / "result.h5").string();
  const Answer whole = answer({"h5", "check", result, (folder / "attention.h5").string()});
  EXPECT_EQ(whole.exit_code, 0) << whole.out;
  EXPECT_THAT(whole.out,
              testing::AllOf(HasSubstr("result.h5: whole: results of point"),
                             HasSubstr("(snapkv of toy, 10 %)"), HasSubstr("3 of 3 images"),
                             HasSubstr("attention.h5: whole: attention of a model"),
                             HasSubstr("mass.step")));
  fs::remove(image_path(point, 1));
  const Answer lacking = answer({"h5", "check", result});
  EXPECT_EQ(lacking.exit_code, 3);
  EXPECT_THAT(lacking.out, HasSubstr("not whole: results of point"));
  EXPECT_THAT(lacking.out, HasSubstr("1 of their PNGs missing"));
}

TEST(H5Check, DamageAndOtherFilesAreNotWhole) {
  const fs::path folder = fresh_folder("files");
  const fs::path point = write_sample_point(folder, sample_point("snapkv", 0.1, 3), 20);
  const fs::path result = point / "result.h5";
  std::fstream file(result, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(3000);
  file.put('x');
  file.close();
  std::ofstream(folder / "text.h5") << "no HDF5 file";
  const Answer found =
      answer({"h5", "check", result.string(), (folder / "text.h5").string(), "/nonexistent.h5"});
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_THAT(found.out, testing::AllOf(HasSubstr("not those that were written"),
                                        HasSubstr("text.h5: not whole"),
                                        HasSubstr("/nonexistent.h5: not whole")));
}

// Whatever stands in a manifest's place, even a folder, a report is made of the rest.
TEST(Report, AManifestThatIsAFolderIsLeftOut) {
  const fs::path folder = fresh_folder("report");
  const fs::path point = write_sample_point(folder, sample_point("snapkv", 0.1, 3), 20);
  write_sample_point(folder, sample_point("full", 1, 3), 30);
  fs::create_directories(point / "manifest.json");
  fs::create_directories(folder / "sweep.json");
  const Answer made = answer({"report", folder.string()});
  EXPECT_EQ(made.exit_code, 0) << made.err;
}

TEST(H5Check, APartSaysHowFarItIs) {
  const fs::path folder = fresh_folder("part");
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  {
    ResultWriter writer(folder / "result.h5", point);
    const ImageRow row = sample_row(0);
    write_result_image(folder, point, row, sample_image(1));
    writer.append(row);
  }
  const Answer part = answer({"h5", "check", (folder / "result.h5.part").string()});
  EXPECT_EQ(part.exit_code, 3);
  EXPECT_THAT(part.out, HasSubstr("1 of 3 images, unfinished: kvscope run goes on"));
}

}  // namespace
}  // namespace kvscope
