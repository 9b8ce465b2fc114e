#include "core/base/output_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/base/error.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view kEndings[] = {".h5", ".hdf5"};

std::string refusal(const fs::path& path, ErrorKind kind) {
  try {
    check_output(path, "--out", kEndings);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(OutputCheck, ANameMayNotPromiseAnotherFormat) {
  const fs::path folder = test_file("folder");
  for (const char* name : {"a.h5", "a.HDF5", "a"}) {
    EXPECT_EQ(refusal(folder / name, ErrorKind::kConfig), "accepted") << name;
  }
  EXPECT_THAT(refusal("my a.png", ErrorKind::kConfig),
              HasSubstr("what is written is h5 and not png; did you mean --out 'my a.h5'?"));
}

TEST(OutputCheck, FindsWhatCannotBeWrittenAndLeavesNothing) {
  const fs::path folder = test_file("folder");
  fs::remove_all(folder);
  EXPECT_EQ(refusal(folder / "deep/er/a.h5", ErrorKind::kEnvironment), "accepted");
  EXPECT_FALSE(fs::exists(folder));
  fs::create_directories(folder / "a.h5");
  EXPECT_THAT(refusal(folder / "a.h5", ErrorKind::kEnvironment), HasSubstr("is a folder"));
  std::ofstream(folder / "file") << "x";
  EXPECT_NE(refusal(folder / "file/a.h5", ErrorKind::kEnvironment), "accepted");
  EXPECT_NE(refusal("/proc/nope/a.h5", ErrorKind::kEnvironment), "accepted");
  std::ofstream(folder / "there.h5") << "kept";
  EXPECT_EQ(refusal(folder / "there.h5", ErrorKind::kEnvironment), "accepted");
  EXPECT_EQ(fs::file_size(folder / "there.h5"), 4);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kvscope
