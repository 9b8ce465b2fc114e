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
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

void expect_same(const ImageRow& a, const ImageRow& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  EXPECT_EQ(a.image_index, b.image_index);
  EXPECT_EQ(a.prompt_id, b.prompt_id);
  EXPECT_EQ(a.prompt, b.prompt);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.token_sha256, b.token_sha256);
  EXPECT_EQ(a.packed_tokens, b.packed_tokens);
  EXPECT_EQ(a.step_ms, b.step_ms);
  EXPECT_EQ(a.attention_ms, b.attention_ms);
  EXPECT_EQ(a.policy_ms, b.policy_ms);
  EXPECT_EQ(a.total_ms, b.total_ms);
  EXPECT_EQ(a.kv_planned_bytes, b.kv_planned_bytes);
  EXPECT_EQ(a.kv_live_bytes, b.kv_live_bytes);
  EXPECT_EQ(a.kv_peak_bytes, b.kv_peak_bytes);
  EXPECT_EQ(a.kv_peak_planned_bytes, b.kv_peak_planned_bytes);
  EXPECT_EQ(a.kv_allocated_bytes, b.kv_allocated_bytes);
  EXPECT_EQ(a.allocator_peak_bytes, b.allocator_peak_bytes);
  EXPECT_EQ(a.allocator_planned_bytes, b.allocator_planned_bytes);
  EXPECT_TRUE(same(a.device_peak_bytes, b.device_peak_bytes));
  for (const std::string& name : metric_names()) {
    EXPECT_TRUE(same(a.metrics[name], b.metrics[name])) << name;
  }
  EXPECT_EQ(a.skill, b.skill);
}

std::string message_of(const std::function<void()>& body, ErrorKind kind) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

void write_finished(const path& file, int64_t images) {
  ResultWriter writer(file, sample_point("snapkv", 0.1, images));
  for (int64_t i = 0; i < images; ++i) writer.append(sample_row(static_cast<uint64_t>(i)));
  writer.finish();
}

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

/// Says of a file that it was written by the version before budgets and peaks were in it.
void make_first_version(const path& file) {
  hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kAppend);
  opened.root().set_attribute("schema_version", int64_t{1});
  opened.flush();
}

/// Writes over the digest at the beginning, so that what is behind it is looked at.
void unseal(const path& file) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream << "as files of before began";
}

TEST(ResultFile, FilesOfTheFirstVersionAreReadWithoutWhatTheyLack) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 3);
  unseal(file);
  make_first_version(file);
  const ResultFile result = read_result(file);
  EXPECT_EQ(result.schema_version, 1);
  EXPECT_EQ(result.point.budget_tokens, 0);
  EXPECT_EQ(result.point.kept_tokens, 10);
  const ImageRow& row = result.rows.at(2);
  EXPECT_EQ(row.kv_peak_bytes, 4 << 20);
  EXPECT_EQ(row.kv_peak_planned_bytes, 0);
  EXPECT_EQ(row.allocator_peak_bytes, 0);
  EXPECT_TRUE(std::isnan(row.device_peak_bytes));
}

TEST(ResultFile, APartOfTheFirstVersionIsContinuedAsOneOfToday) {
  const path file = fresh_folder("a") / "result.h5";
  PointInfo point = sample_point("snapkv", 0.1, 2);
  point.budget_tokens = point.cut_tokens = 0;  // nothing else tells the versions apart
  ResultWriter(file, point).append(sample_row(1));
  make_first_version(file.string() + ".part");
  ResultWriter writer(file, point);
  writer.append(sample_row(0));
  writer.finish();
  EXPECT_EQ(read_result(file).schema_version, 3);
  expect_same(read_result(file).rows.at(0), sample_row(0));
  EXPECT_EQ(read_result(file).rows.at(1).allocator_peak_bytes, 0);
}

/// Written before metrics were a registry, by `kvscope run` of a tiny model: snapkv, two images.
TEST(ResultFile, AFileOfThePreviousVersionIsRead) {
  const ResultFile result =
      read_result(path(kSourceDir) / "tests/golden/result_of_three_metrics.h5");
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.schema_version, 2);
  EXPECT_EQ(result.point.label("policy"), "snapkv");
  ASSERT_EQ(result.rows.size(), 2);
  EXPECT_TRUE(std::isinf(result.rows[0].metrics["psnr"]));
  EXPECT_EQ(result.rows[1].metrics["ssim"], 1);
  EXPECT_EQ(result.rows[0].metrics["shape_eval"], 1);
  EXPECT_EQ(result.rows[1].metrics["shape_eval"], 0);
  for (const Metric& metric : metrics()) {
    if (!metric.standard) {
      EXPECT_TRUE(std::isnan(result.rows[0].metrics[metric.name]));
    }
  }
}

TEST(ResultFile, DatasetsOfMetricsKeepTheirNamesAndUnits) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 1);
  const hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kRead);
  for (const char* name : {"metrics/psnr", "metrics/ssim", "metrics/shape_eval"}) {
    EXPECT_TRUE(opened.root().contains(name)) << name;
  }
  EXPECT_EQ(opened.root().dataset("metrics/psnr").attribute("units"),
            hdf5::AttributeValue(std::string("dB")));
}

/// Says of a file that it was written by the version before rows had check values.
void make_second_version(const path& file) {
  hdf5::File opened = hdf5::File::open(file, hdf5::File::Access::kAppend);
  opened.root().set_attribute("schema_version", int64_t{2});
  opened.flush();
}

/// Removes the column of a metric, as where the file is older than the metric.
void forget_metric(const path& file, const std::string& name) {
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Ldelete(id, ("metrics/" + name).c_str(), H5P_DEFAULT), 0);
  H5Fclose(id);
}

TEST(ResultFile, AFileOlderThanAMetricIsReadWithoutIt) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  const path part = file.string() + ".part";
  {
    ResultWriter writer(file, point);
    for (uint64_t i = 0; i < 3; ++i) writer.append(sample_row(i));
  }
  make_second_version(part);
  forget_metric(part, "ssim");
  const ResultFile result = read_result(part);
  EXPECT_TRUE(std::isnan(result.rows.at(0).metrics["ssim"]));
  EXPECT_EQ(result.rows.at(0).metrics["psnr"], 20);
}

TEST(ResultFile, APartOlderThanAMetricIsContinuedWithIt) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 2);
  ResultWriter(file, point).append(sample_row(1));
  make_second_version(file.string() + ".part");
  forget_metric(file.string() + ".part", "ssim");
  ResultWriter writer(file, point);
  writer.append(sample_row(0));
  writer.finish();
  const ResultFile result = read_result(file);
  expect_same(result.rows.at(0), sample_row(0));
  EXPECT_TRUE(std::isnan(result.rows.at(1).metrics["ssim"]));
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

TEST(ResultFile, DamagedFilesAreNamed) {
  const path folder = fresh_folder("a");
  const path good = folder / "good.h5";
  write_finished(good, 3);
  const path bad = folder / "bad.h5";
  const auto rejected = [&] { return message_of([&] { read_result(bad); }, ErrorKind::kInput); };
  EXPECT_THAT(rejected(), HasSubstr("bad.h5")) << "missing";
  std::ofstream(bad) << "not HDF5";
  EXPECT_THAT(rejected(), HasSubstr("bad.h5"));
  const auto whole = std::filesystem::file_size(good);
  for (const auto bytes : {whole - 1, whole / 2, whole / 5, uintmax_t{100}, uintmax_t{0}}) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(bad, bytes);
    EXPECT_THAT(rejected(), HasSubstr("bad.h5")) << bytes;
  }
}

TEST(ResultFile, AFlippedBitAnywhereInAFinishedFileIsSeen) {
  const path folder = fresh_folder("a");
  const path file = folder / "result.h5";
  write_finished(file, 3);
  std::ifstream stream(file, std::ios::binary);
  const std::string good(std::istreambuf_iterator<char>(stream), {});
  for (size_t at = 0; at < good.size(); at += at < 600 ? 13 : 997) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    std::ofstream(file, std::ios::binary) << bad;
    if (at > 120 && at < 512) {
      EXPECT_EQ(read_result(file).rows.size(), 3) << "nothing stands at " << at;
    } else {
      EXPECT_THROW(read_result(file), Error) << at;
    }
  }
}

TEST(ResultFile, ARowOfAPartThatIsNotAsItWasWrittenIsMadeAgain) {
  const path file = fresh_folder("a") / "result.h5";
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  const path part = file.string() + ".part";
  for (const char* place : {"timing/total_ms", "metrics/ssim", "memory/kv_live"}) {
    std::filesystem::remove(part);
    {
      ResultWriter writer(file, point);
      for (uint64_t i = 0; i < 2; ++i) writer.append(sample_row(i));
    }
    {
      hdf5::File opened = hdf5::File::open(part, hdf5::File::Access::kAppend);
      hdf5::Dataset column = opened.root().dataset(place);
      column.element() == hdf5::Element::kF64
          ? column.overwrite_unflushed(1, std::vector<double>{77})
          : column.overwrite_unflushed(1, std::vector<int64_t>{77});
    }
    EXPECT_EQ(ResultWriter(file, point).rows_present(), (std::set<uint64_t>{0})) << place;
  }
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

TEST(ResultFile, HostileContentIsNamed) {
  const path folder = fresh_folder("a");
  const path good = folder / "good.h5";
  write_finished(good, 3);
  unseal(good);
  const path bad = folder / "bad.h5";
  const auto rejected = [&](const std::function<void(hdf5::Group&)>& change) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    {
      hdf5::File file = hdf5::File::open(bad, hdf5::File::Access::kAppend);
      change(file.root());
    }
    return message_of([&] { read_result(bad); }, ErrorKind::kInput);
  };
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("schema", std::string("other")); }),
              HasSubstr("schema 'other'"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("steps", std::string("three")); }),
              HasSubstr("steps"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("steps", int64_t{4}); }),
              HasSubstr("expected [3, 4]"));
  EXPECT_THAT(rejected([](auto& root) {
                root.dataset("axes/written").overwrite_unflushed(0, std::vector<uint8_t>{0});
              }),
              HasSubstr("finished with 3 images, but 2"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("rows", int64_t{4}); }),
              HasSubstr("expected 4"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("images", int64_t{4}); }),
              HasSubstr("finished with 4 images, but 3"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("replicas", int64_t{2}); }),
              HasSubstr("3 images, 2 of each prompt"));
  EXPECT_THAT(rejected([](auto& root) { root.set_attribute("kept_tokens", 11.0); }),
              HasSubstr("not as it was written"));
  EXPECT_THAT(
      rejected([](auto& root) { root.set_attribute("schema", std::string("kvscope.result")); }),
      HasSubstr("does not begin with its digest"));
}

TEST(ResultFile, ColumnThatClaimsMoreThanTheFileHoldsIsNotBelieved) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 3);
  unseal(file);
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t column = H5Dopen2(id, "timing/total_ms", H5P_DEFAULT);
  const hsize_t rows = hsize_t{1} << 60;
  EXPECT_GE(H5Dset_extent(column, &rows), 0);
  H5Dclose(column);
  H5Fclose(id);
  EXPECT_THAT(message_of([&] { read_result(file); }, ErrorKind::kInput), HasSubstr("claims"));
}

TEST(ResultFile, RowOfAnotherImageIsDamage) {
  const path file = fresh_folder("a") / "result.h5";
  write_finished(file, 3);
  unseal(file);
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t column = H5Dopen2(id, "axes/image_id", H5P_DEFAULT);
  const std::vector<uint64_t> indices = {0, 1, 1};
  EXPECT_GE(H5Dwrite(column, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, indices.data()), 0);
  H5Dclose(column);
  H5Fclose(id);
  EXPECT_THAT(message_of([&] { read_result(file); }, ErrorKind::kInput),
              HasSubstr("row 2 is of image 1"));
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
