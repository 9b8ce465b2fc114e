#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "experiments/results/result_file.h"
#include "test_paths.h"
#include "tests/experiments/results/result_checks.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

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
    if (at >= good.find('\0') && at < 512) {
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

}  // namespace
}  // namespace kvscope
