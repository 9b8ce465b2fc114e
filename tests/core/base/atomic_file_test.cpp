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
  EXPECT_FALSE(fs::exists(own_part(path)));
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
  EXPECT_FALSE(fs::exists(own_part(folder / "taken")));
}

TEST(AtomicFile, AFullDiskIsAnErrorOfTheEnvironment) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const fs::path path = fresh_folder("full") / "text.txt";
  fs::create_directories(path.parent_path());
  fs::create_symlink("/dev/full", own_part(path));
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

TEST(AtomicFile, PartsOfOtherProcessesAreTheirs) {
  const fs::path folder = fresh_folder("parts");
  fs::create_directories(folder / "below");
  std::ofstream(folder / "a.txt.part-123456789") << "x";
  std::ofstream(folder / "below" / "b.png.part-1") << "x";
  std::ofstream(folder / "a.part-of-it") << "x";
  write_file_atomically(folder / "a.txt", "whole");
  EXPECT_TRUE(fs::exists(folder / "a.txt.part-123456789"));
  remove_abandoned_parts(folder);
  EXPECT_FALSE(fs::exists(folder / "a.txt.part-123456789"));
  EXPECT_FALSE(fs::exists(folder / "below" / "b.png.part-1"));
  EXPECT_TRUE(fs::exists(folder / "a.part-of-it"));
  EXPECT_TRUE(fs::exists(folder / "a.txt"));
  remove_abandoned_parts(folder / "absent");
}

}  // namespace
}  // namespace kvscope
