// What cannot be written, or is no text, is said before the first image.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/program_answer.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(Outputs, ThatCannotBeAreRefusedBeforeTheFirstImage) {
  const fs::path folder = test_file("none");
  const std::string jpeg = (folder / "pic.jpg").string();
  const Answer named = answer({"generate", "prompt=a circle", "--out", jpeg});
  EXPECT_EQ(named.exit_code, 2);
  EXPECT_THAT(named.err, HasSubstr("what is written is png and not jpg"));
  const Answer nowhere = answer({"generate", "prompt=a circle", "--out", "/proc/nope/pic.png"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.out, Not(HasSubstr("KV cache")));
  const Answer record = answer({"attention", "record", "gen.images=1", "--out", "/proc/nope/a.h5"});
  EXPECT_EQ(record.exit_code, 3);
  EXPECT_THAT(record.err, Not(HasSubstr("recorded")));
  EXPECT_EQ(answer({"attention", "record", "gen.images=1", "--out", "a.png"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(folder));
}

TEST(Outputs, PromptsOfAnotherEncodingAreRefusedWithTheirLine) {
  const fs::path file = test_file("prompts.txt");
  const std::string chosen = "prompts.file=" + file.string();
  std::ofstream(file, std::ios::binary) << "a red circle\ncaf\xe9\n";
  const Answer refused = answer({"plan", "prompts=file", chosen, "gen.images=null"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr(file.string() + ":2: byte 0xe9 is not UTF-8"));
  std::ofstream(file, std::ios::binary) << "\xef\xbb\xbf"
                                           "a red circle\n";
  EXPECT_EQ(answer({"plan", "prompts=file", chosen, "gen.images=null"}).exit_code, 0);
  EXPECT_EQ(answer({"plan", "name=caf\xe9"}).exit_code, 2);
  fs::remove(file);
}

}  // namespace
}  // namespace kvscope
