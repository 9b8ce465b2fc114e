// kvscope attention explore, as the program answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/experiments/explore/explored_records.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(AttentionExploreCommand, WritesAPageBesideTheRecord) {
  const fs::path folder = fresh_folder("a");
  write_attention(folder / "attention.h5", explored_record());
  const Answer written = answer({"attention", "explore", (folder / "attention.h5").string()});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr((folder / "attention.html").string()));
  EXPECT_THAT(written.err, Not(HasSubstr("--query-maps")));
  EXPECT_THAT(text_of(folder / "attention.html"), HasSubstr("<title>Attention of toy</title>"));
}

TEST(AttentionExploreCommand, ComparesTwoAndSaysWhatOneOfThemLacks) {
  const fs::path folder = fresh_folder("a");
  write_attention(folder / "one.h5", explored_record());
  write_attention(folder / "two.h5", explored_record({}, false));
  const Answer written = answer({"attention", "explore", (folder / "one.h5").string(),
                                 (folder / "two.h5").string(), "-o", (folder / "p.html").string()});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_THAT(written.err,
              HasSubstr("two.h5: where single queries look is not in the record; it is recorded "
                        "by:\n  kvscope attention record model=toy gen.images=2 --query-maps"));
  EXPECT_TRUE(fs::exists(folder / "p.html"));
}

TEST(AttentionExploreCommand, SaysWhatIsWrongAndWritesNothing) {
  const fs::path folder = fresh_folder("a");
  const std::string good = (folder / "good.h5").string();
  write_attention(good, explored_record());
  const std::string bad = (folder / "bad.h5").string();
  const Answer missing = answer({"attention", "explore", bad});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, HasSubstr("bad.h5"));
  std::ofstream(bad) << "a letter to a friend";
  EXPECT_EQ(answer({"attention", "explore", good, bad}).exit_code, 3);
  EXPECT_EQ(answer({"attention", "explore", good, good, good}).exit_code, 2);
  EXPECT_EQ(answer({"attention", "explore"}).exit_code, 2);
  EXPECT_EQ(answer({"attention", "explore", good, "--map-megabytes", "0"}).exit_code, 2);
  const Answer ending = answer({"attention", "explore", good, "-o", good});
  EXPECT_EQ(ending.exit_code, 2);
  EXPECT_THAT(ending.err, AllOf(HasSubstr("--out"), HasSubstr(".html")));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 2);
}

}  // namespace
}  // namespace kvscope
