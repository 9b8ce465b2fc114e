#include "experiments/results/result_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "test_paths.h"
#include "tests/experiments/results/result_checks.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

TEST(ResultFile, GivesBackThePointAndEveryRow) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 130);
  {
    ResultWriter writer(file, point);
    for (uint64_t i = 0; i < 130; ++i) {
      ImageRow row = sample_row(129 - i);  // any order
      if (i % 3 == 0) row.metrics["ssim"] = kNotMeasured;
      writer.append(row);
    }
    EXPECT_FALSE(point_finished(file.parent_path()));
    writer.finish();
  }
  EXPECT_TRUE(point_finished(file.parent_path()));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".part"));
  const ResultFile result = read_result(file);
  EXPECT_EQ(result.point, point);
  EXPECT_TRUE(result.finished);
  ASSERT_EQ(result.rows.size(), 130);
  for (uint64_t i = 0; i < 130; ++i) {
    ImageRow expected = sample_row(i);
    if ((129 - i) % 3 == 0) expected.metrics["ssim"] = kNotMeasured;
    expect_same(result.rows[i], expected);
  }
}

TEST(ResultFile, PointWithoutTokensOrOverrides) {
  const path file = fresh_folder("a") / "result.h5";
  PointInfo point = sample_point("full", 1, 1);
  point.token_bytes = 0;
  point.overrides.clear();
  ImageRow row = sample_row(0);
  row.packed_tokens.clear();
  ResultWriter writer(file, point);
  writer.append(row);
  writer.finish();
  EXPECT_EQ(read_result(file).point, point);
  expect_same(read_result(file).rows.at(0), row);
}

TEST(ResultFile, ReopenedWriterContinuesAndRefusesWhatIsThere) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  {
    ResultWriter writer(file, point);
    writer.append(sample_row(2));
    writer.append(sample_row(0));
  }
  ResultWriter writer(file, point);
  EXPECT_EQ(writer.rows_present(), (std::set<uint64_t>{0, 2}));
  EXPECT_THAT(message_of([&] { writer.append(sample_row(2)); }, ErrorKind::kAudit),
              HasSubstr("is there already"));
  EXPECT_THAT(message_of([&] { writer.finish(); }, ErrorKind::kAudit), HasSubstr("2 of 3"));
  writer.append(sample_row(1));
  writer.finish();
  EXPECT_THAT(message_of([&] { writer.append(sample_row(1)); }, ErrorKind::kAudit),
              HasSubstr("closed"));
  EXPECT_EQ(ResultWriter(file, point).rows_present(), (std::set<uint64_t>{0, 1, 2}));
}

TEST(ResultFile, RowThatDoesNotFitIsNotWritten) {
  const path file = fresh_folder("a") / "result.h5";
  ResultWriter writer(file, sample_point("snapkv", 0.1, 3));
  ImageRow row = sample_row(0);
  row.step_ms.push_back(1);
  EXPECT_THAT(message_of([&] { writer.append(row); }, ErrorKind::kAudit),
              HasSubstr("step_ms has 4 values, expected 3"));
  row = sample_row(0);
  row.prompt = std::string(41, 'x');
  EXPECT_THAT(message_of([&] { writer.append(row); }, ErrorKind::kAudit), HasSubstr("at most 40"));
  EXPECT_THAT(message_of([&] { writer.append(sample_row(3)); }, ErrorKind::kAudit),
              HasSubstr("beyond"));
  EXPECT_TRUE(writer.rows_present().empty());
}

TEST(ResultFile, PartOfAnotherPointIsRefused) {
  const path file = fresh_folder("a") / "result.h5";
  { ResultWriter writer(file, sample_point("snapkv", 0.1, 3)); }
  EXPECT_THAT(
      message_of([&] { ResultWriter(file, sample_point("snapkv", 0.2, 3)); }, ErrorKind::kInput),
      HasSubstr("holds point"));
}

/// Appends rows and tells the number of each acknowledged one through a pipe, until it is killed.
[[noreturn]] void append_until_killed(const path& file, const PointInfo& point, int report) {
  ResultWriter writer(file, point);
  for (uint64_t i = 0; i < static_cast<uint64_t>(point.images); ++i) {
    if (writer.rows_present().contains(i)) continue;
    writer.append(sample_row(i));
    if (write(report, &i, sizeof i) != sizeof i) break;
  }
  _exit(0);
}

TEST(ResultFile, KilledAtAnyMomentLosesNoAcknowledgedRow) {
  const path file = fresh_folder("a") / "result.h5";
  const path part = file.string() + ".part";
  const PointInfo point = sample_point("snapkv", 0.1, 3000);
  std::set<uint64_t> acknowledged;
  uint32_t random = 12345;
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      append_until_killed(file, point, ends[1]);
    }
    close(ends[1]);
    random = random * 1664525U + 1013904223U;
    // Rounds end after some rows, or (the first ones) while the file is being made.
    const size_t wanted = round < 3 ? 0 : acknowledged.size() + random % 40;
    uint64_t index = 0;
    while (acknowledged.size() < wanted && read(ends[0], &index, sizeof index) == sizeof index) {
      acknowledged.insert(index);
    }
    usleep(random % 3000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &index, sizeof index) == sizeof index) acknowledged.insert(index);
    close(ends[0]);
    if (!std::filesystem::exists(part)) continue;
    const ResultFile result = read_result(part);
    EXPECT_FALSE(result.finished);
    std::set<uint64_t> found;
    for (const ImageRow& row : result.rows) {
      expect_same(row, sample_row(row.image_index));
      found.insert(row.image_index);
    }
    EXPECT_TRUE(std::ranges::includes(found, acknowledged)) << "round " << round;
  }
  EXPECT_GT(acknowledged.size(), 20);
}

TEST(ResultFile, RowThatAKillCutShortIsMadeAgain) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  {
    ResultWriter writer(file, point);
    writer.append(sample_row(0));
  }
  {
    hdf5::File half = hdf5::File::open(file.string() + ".part", hdf5::File::Access::kAppend);
    half.root().dataset("axes/seed").overwrite_unflushed(1, std::vector<uint64_t>{77});
  }
  ResultWriter writer(file, point);
  EXPECT_EQ(writer.rows_present(), (std::set<uint64_t>{0}));
  writer.append(sample_row(1));
  writer.append(sample_row(2));
  writer.finish();
  const ResultFile result = read_result(file);
  for (uint64_t i = 0; i < 3; ++i) expect_same(result.rows.at(i), sample_row(i));
}

TEST(ResultFile, ContinuingWithAnotherManifestKeepsTheRows) {
  const path file = fresh_folder("a") / "result.h5";
  PointInfo point = sample_point("snapkv", 0.1, 2);
  {
    ResultWriter writer(file, point);
    writer.append(sample_row(1));
  }
  point.manifest_json = "{\"host\": \"other\"}";
  ResultWriter writer(file, point);
  writer.append(sample_row(0));
  writer.finish();
  const ResultFile result = read_result(file);
  EXPECT_EQ(result.point, point);
  for (uint64_t i = 0; i < 2; ++i) expect_same(result.rows.at(i), sample_row(i));
}

TEST(ResultFile, MoreOrFewerImagesKeepThoseThatAreThere) {
  const path file = fresh_folder("a") / "result.h5";
  const auto point = [](int64_t prompts, int64_t replicas) {
    PointInfo info = sample_point("snapkv", 0.1, prompts * replicas);
    info.replicas = replicas;
    return info;
  };
  const auto row = [](uint64_t prompt, uint64_t replica) {
    ImageRow one = sample_row(image_number(prompt, replica));
    one.prompt_id = prompt;
    one.prompt = "a circle";
    one.step_ms = {1, 2, 3};
    return one;
  };
  {
    ResultWriter writer(file, point(2, 1));
    for (const uint64_t prompt : {0, 1}) writer.append(row(prompt, 0));
    writer.finish();
  }
  {
    ResultWriter writer(file, point(3, 2));
    EXPECT_EQ(writer.rows_present(), (std::set<uint64_t>{0, 1}));
    EXPECT_TRUE(read_result(file).has_all()) << "what is finished stays until more is";
    for (const uint64_t prompt : {0, 1, 2}) writer.append(row(prompt, 1));
  }
  ResultWriter writer(file, point(3, 2));
  EXPECT_EQ(writer.rows_present().size(), 5);
  writer.append(row(2, 0));
  writer.finish();
  EXPECT_EQ(read_result(file).rows.size(), 6);
  ResultWriter(file, point(1, 2)).finish();
  const ResultFile fewer = read_result(file);
  EXPECT_EQ(fewer.rows.size(), 6);
  EXPECT_EQ(
      std::ranges::count_if(
          fewer.rows, [&](const ImageRow& one) { return fewer.point.asks_for(one.image_index); }),
      2);
  EXPECT_EQ(image_path("p", image_number(42, 0)), path("p/images/000042.png"));
  EXPECT_EQ(image_path("p", image_number(42, 3)), path("p/images/000042-3.png"));
}

TEST(ResultFile, ImagesCarryTheirOrigin) {
  const path folder = fresh_folder("a");
  const PointInfo point = sample_point("snapkv", 0.1, 50);
  write_result_image(folder, point, sample_row(42), sample_image(7));
  const PngContent content = read_png(folder / "images" / "000042.png");
  EXPECT_EQ(content.image, sample_image(7));
  EXPECT_EQ(content.text.at("point"), point.point_hash);
  EXPECT_EQ(content.text.at("prompt"), "a réd circle 42");
  EXPECT_EQ(content.text.at("seed"), fmt::format("{}", sample_row(42).seed));
}

TEST(ResultFile, UnwritableFolderIsAnEnvironmentError) {
  const path folder = fresh_folder("a");
  std::ofstream(folder / "file") << "x";
  message_of([&] { ResultWriter(folder / "file" / "result.h5", sample_point("full", 1, 1)); },
             ErrorKind::kEnvironment);
}

}  // namespace
}  // namespace kvscope
