#include "core/hdf5/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <numeric>

#include "core/base/error.h"

namespace kvscope::hdf5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

fs::path fresh_file(const std::string& name) {
  fs::path path = fs::path(testing::TempDir()) / ("hdf5_file_test_" + name) / "data.h5";
  fs::remove_all(path.parent_path());
  return path;
}

std::string error_of(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

template <class T>
void expect_round_trip(Group& group, const std::string& name, const std::vector<T>& rows) {
  Dataset dataset = group.create_dataset(name, {.element = element_of<T>(), .row_shape = {3}});
  dataset.append(rows);
  dataset.append(rows);
  EXPECT_EQ(dataset.rows(), 2 * static_cast<int64_t>(rows.size()) / 3);
  std::vector<T> twice = rows;
  twice.insert(twice.end(), rows.begin(), rows.end());
  EXPECT_EQ(group.dataset(name).read<T>(), twice) << name;
}

TEST(Hdf5File, RoundTripsEveryElementType) {
  const fs::path path = fresh_file("types");
  File file = File::create(path);
  Group group = file.root().create_group("a/b");
  expect_round_trip<float>(group, "f32", {1.5F, -2, 3e30F, 0, 7, 8});
  expect_round_trip<double>(group, "f64", {0.1, -2, 3e300});
  expect_round_trip<int32_t>(group, "i32", {-1, 2, INT32_MAX});
  expect_round_trip<int64_t>(group, "i64", {-1, INT64_MIN, INT64_MAX});
  expect_round_trip<uint8_t>(group, "u8", {0, 255, 3});
  expect_round_trip<uint64_t>(group, "u64", {0, UINT64_MAX, 5});
  EXPECT_THAT(group.names(), ElementsAre("f32", "f64", "i32", "i64", "u64", "u8"));
  EXPECT_EQ(group.where(), path.string() + ":/a/b");
  EXPECT_TRUE(file.root().contains("a/b/f32"));
  EXPECT_FALSE(file.root().contains("a/c/f32"));
}

TEST(Hdf5File, StoresFloatsAsHalves) {
  File file = File::create(fresh_file("half"));
  Dataset dataset =
      file.root().create_dataset("maps/x", {.element = Element::kF16, .row_shape = {2, 5}});
  std::vector<float> rows(70);
  std::iota(rows.begin(), rows.end(), -30.0F);
  dataset.append(rows);
  dataset.append(std::vector<float>(10, 0.1F));
  const Dataset opened = file.root().dataset("maps/x");
  EXPECT_EQ(opened.element(), Element::kF16);
  EXPECT_THAT(opened.row_shape(), ElementsAre(2, 5));
  EXPECT_EQ(opened.rows(), 8);
  EXPECT_EQ(opened.read_rows<float>(0, 7), rows);
  EXPECT_EQ(opened.read_rows<float>(7, 1)[9], 0.0999755859375F);
}

TEST(Hdf5File, StoresFixedTexts) {
  File file = File::create(fresh_file("text"));
  Dataset dataset =
      file.root().create_dataset("prompts", {.element = Element::kText, .text_bytes = 8});
  const std::vector<std::string> texts{"", "caf\xc3\xa9", "12345678"};
  dataset.append(texts);
  EXPECT_EQ(file.root().dataset("prompts").read<std::string>(), texts);
  EXPECT_THAT(
      error_of(ErrorKind::kInput, [&] { dataset.append(std::vector<std::string>{"123456789"}); }),
      HasSubstr("9 bytes does not fit the column's 8"));
  EXPECT_EQ(dataset.rows(), 3);
}

TEST(Hdf5File, StoresSingleTextsAndAttributes) {
  const fs::path path = fresh_file("attributes");
  const std::string yaml = "policy: scalekv\nprompt: \"caf\xc3\xa9\"\n" + std::string(70000, '#');
  {
    File file = File::create(path);
    file.root().write_text("config/resolved", yaml);
    file.root().write_text("nothing", "");
    file.root().set_attribute("seed", int64_t{7});
    file.root().set_attribute("ratio", 0.25);
    file.root().set_attribute("hash", std::string("0f3a"));
    file.root().set_attribute("hash", std::string("replaced"));
    Dataset dataset = file.root().create_dataset("rows", {});
    dataset.set_attribute("shape", std::vector<int64_t>{3, 4});
    dataset.set_attribute("taus", std::vector<double>{0.5, 1});
  }
  const File file = File::open(path, File::Access::kRead);
  EXPECT_EQ(file.root().read_text("config/resolved"), yaml);
  EXPECT_EQ(file.root().read_text("nothing"), "");
  EXPECT_EQ(file.root().attribute("seed"), AttributeValue(int64_t{7}));
  EXPECT_EQ(file.root().attribute("ratio"), AttributeValue(0.25));
  EXPECT_EQ(file.root().attribute("hash"), AttributeValue("replaced"));
  const Dataset dataset = file.root().dataset("rows");
  EXPECT_EQ(dataset.attribute("shape"), AttributeValue(std::vector<int64_t>{3, 4}));
  EXPECT_EQ(dataset.attribute("taus"), AttributeValue(std::vector<double>{0.5, 1}));
  EXPECT_FALSE(dataset.has_attribute("seed"));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { static_cast<void>(dataset.attribute("seed")); }),
              HasSubstr("data.h5:/rows: no attribute 'seed'"));
}

TEST(Hdf5File, ReopensForAppendingAndCompresses) {
  const fs::path path = fresh_file("append");
  {
    File file = File::create(path);
    file.root().create_dataset("ids",
                               {.element = Element::kI64, .chunk_rows = 7, .compression = 4});
  }
  for (int64_t i = 0; i < 50; ++i) {
    File file = File::open(path, File::Access::kAppend);
    file.root().dataset("ids").append(std::vector<int64_t>{i, -i});
  }
  const File file = File::open(path, File::Access::kRead);
  const std::vector<int64_t> ids = file.root().dataset("ids").read<int64_t>();
  ASSERT_EQ(ids.size(), 100U);
  for (int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(ids[2 * i], i);
    EXPECT_EQ(ids[2 * i + 1], -i);
  }
}

TEST(Hdf5File, RowsLargerThanAChunkAreSplit) {
  File file = File::create(fresh_file("large"));
  Dataset dataset = file.root().create_dataset("map", {.row_shape = {5, 1000, 1001}});
  std::vector<float> row(5 * 1000 * 1001);
  std::iota(row.begin(), row.end(), 0.0F);
  dataset.append(row);
  EXPECT_EQ(dataset.read<float>(), row);
}

TEST(Hdf5File, ErrorsNameFileAndObject) {
  const fs::path path = fresh_file("errors");
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { File::open(path, File::Access::kRead); }),
              HasSubstr(path.string()));
  File file = File::create(path);
  Dataset dataset = file.root().create_dataset("scores", {.row_shape = {4}});
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { static_cast<void>(file.root().dataset("score")); }),
              HasSubstr("Did you mean 'scores'?"));
  EXPECT_THAT(error_of(ErrorKind::kEnvironment, [&] { file.root().create_dataset("scores", {}); }),
              HasSubstr("data.h5:/scores: cannot create the dataset"));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { dataset.append(std::vector<float>(6)); }),
              HasSubstr("6 elements are no whole rows of 4"));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { dataset.append(std::vector<double>(4)); }),
              HasSubstr("holds f32, cannot be written as f64"));
  EXPECT_THAT(
      error_of(ErrorKind::kInput, [&] { static_cast<void>(dataset.read_rows<float>(0, 1)); }),
      HasSubstr("of 0"));
  EXPECT_THAT(
      error_of(ErrorKind::kInput, [&] { file.root().write_text("bad", std::string("a\0b", 3)); }),
      HasSubstr("zero byte"));
  const fs::path garbage = path.parent_path() / "garbage.h5";
  std::ofstream(garbage) << "not HDF5 at all";
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { File::open(garbage, File::Access::kRead); }),
              HasSubstr("garbage.h5"));
}

TEST(Hdf5File, AnUnwritablePlaceIsAnErrorOfTheEnvironment) {
  const fs::path path = fresh_file("blocked");
  std::ofstream(path.parent_path()) << "a file where the folder should be";
  EXPECT_THAT(error_of(ErrorKind::kEnvironment, [&] { File::create(path); }),
              HasSubstr("cannot create the file"));
}

// A child appends and reports each row it was promised; the parent kills it without warning.
TEST(Hdf5File, AcknowledgedRowsSurviveKill) {
  const fs::path path = fresh_file("kill");
  for (const int killed_after : {1, 17, 60}) {
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      File file = File::create(path);
      Dataset dataset = file.root().create_dataset("rows", {.row_shape = {300}});
      file.flush();
      for (int i = 0;; ++i) {
        dataset.append(std::vector<float>(300, static_cast<float>(i)));
        const char acknowledged = 'r';
        if (write(channel[1], &acknowledged, 1) != 1) _exit(1);
      }
    }
    close(channel[1]);
    int64_t acknowledged_rows = 0;
    char byte = 0;
    while (acknowledged_rows < killed_after && read(channel[0], &byte, 1) == 1) ++acknowledged_rows;
    kill(child, SIGKILL);
    while (read(channel[0], &byte, 1) == 1) ++acknowledged_rows;
    close(channel[0]);
    waitpid(child, nullptr, 0);

    File file = File::open(path, File::Access::kAppend);
    Dataset dataset = file.root().dataset("rows");
    ASSERT_GE(dataset.rows(), acknowledged_rows);
    const std::vector<float> values = dataset.read_rows<float>(0, acknowledged_rows);
    for (int64_t i = 0; i < acknowledged_rows; ++i) {
      EXPECT_EQ(values[i * 300], static_cast<float>(i));
      EXPECT_EQ(values[i * 300 + 299], static_cast<float>(i));
    }
    dataset.append(std::vector<float>(300, -1));
  }
}

}  // namespace
}  // namespace kvscope::hdf5
