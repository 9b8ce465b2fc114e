#include "core/base/text_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace kvscope {
namespace {

namespace fs = std::filesystem;

TEST(TextFile, OnlyRegularFilesHaveText) {
  const fs::path folder = fs::path(testing::TempDir()) / "kvscope_text_file";
  fs::remove_all(folder);
  fs::create_directories(folder / "inner");
  std::ofstream(folder / "text") << "a\nb";
  std::ofstream(folder / "empty") << "";
  EXPECT_EQ(text_of_file(folder / "text"), "a\nb");
  EXPECT_EQ(text_of_file(folder / "empty"), "");
  EXPECT_FALSE(text_of_file(folder / "inner"));
  EXPECT_FALSE(text_of_file(folder / "nothing"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kvscope
