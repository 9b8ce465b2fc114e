#include "core/base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/mapped_file.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

fs::path fresh_folder(const std::string& name) {
  fs::path folder = fs::path(testing::TempDir()) / ("atomic_file_test_" + name);
  fs::remove_all(folder);
  return folder;
}

TEST(AtomicFile, AppearsWholeOnCommitInFoldersItCreates) {
  const fs::path path = fresh_folder("commit") / "a/b/text.txt";
  AtomicFile file(path);
  file.write("first ");
  file.write("second");
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(file.part_path()));
  file.commit();
  EXPECT_EQ(content(path), "first second");
  EXPECT_FALSE(fs::exists(file.part_path()));
}

TEST(AtomicFile, LeavesTheOldContentWithoutCommit) {
  const fs::path path = fresh_folder("keep") / "text.txt";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(content(path), "old");
  EXPECT_FALSE(fs::exists(path.string() + ".part"));
  write_file_atomically(path, "newer");
  EXPECT_EQ(content(path), "newer");
}

TEST(AtomicFile, SaysWhichPlaceCannotBeWritten) {
  const fs::path folder = fresh_folder("bad");
  write_file_atomically(folder / "file", "x");
  try {
    write_file_atomically(folder / "file/below", "y");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), testing::HasSubstr((folder / "file").string()));
  }
  fs::create_directories(folder / "taken/full");
  EXPECT_THROW(write_file_atomically(folder / "taken", "y"), Error);
  EXPECT_FALSE(fs::exists(folder / "taken.part"));
}

TEST(AtomicFile, AFullDiskIsAnErrorOfTheEnvironment) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const fs::path path = fresh_folder("full") / "text.txt";
  fs::create_directories(path.parent_path());
  fs::create_symlink("/dev/full", path.string() + ".part");
  try {
    write_file_atomically(path, "does not fit");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), testing::HasSubstr("No space left"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(MappedFile, ShowsTheBytesAndRefusesWhatIsNoFile) {
  const fs::path folder = fresh_folder("map");
  write_file_atomically(folder / "five", "12345");
  write_file_atomically(folder / "none", "");
  const MappedFile five(folder / "five");
  EXPECT_EQ(five.size_bytes(), 5);
  EXPECT_EQ(five.bytes()[4], std::byte{'5'});
  EXPECT_EQ(MappedFile(folder / "none").size_bytes(), 0);
  EXPECT_THROW(MappedFile{folder}, Error);
  EXPECT_THROW(MappedFile{folder / "absent"}, Error);
}

}  // namespace
}  // namespace kvscope
