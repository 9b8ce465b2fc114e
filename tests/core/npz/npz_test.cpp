#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <sstream>

#include "core/base/error.h"
#include "core/image/jpeg.h"
#include "core/image/picture_header.h"
#include "core/image/png.h"
#include "core/npz/npz_reader.h"
#include "core/npz/npz_writer.h"
#include "test_paths.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(kSourceDir) / "tests/golden/judges" / name;
}

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Npz, ReadsStoredAndDeflatedArrays) {
  const NpzReader samples(golden("samples_tiny.npz"));
  const NpyArray images = samples.array("arr_0");
  EXPECT_EQ(images.shape, (std::vector<int64_t>{5, 8, 8, 3}));
  EXPECT_EQ(std::accumulate(images.values.begin(), images.values.end(), 0.0), 125293);
  EXPECT_FALSE(samples.is_compressed("arr_0"));
  const NpzReader statistics(golden("fid_stats_1.npz"));
  EXPECT_THAT(statistics.names(), testing::ElementsAre("mu", "sigma"));
  EXPECT_TRUE(statistics.is_compressed("mu"));
  EXPECT_EQ(statistics.array("sigma").shape.size(), 2U);
  EXPECT_THROW((void)statistics.array("nu"), Error);
}

TEST(Npz, WritesWhatNumpyWrites) {
  // numpy's own file of the same array: every byte of the array, its header included.
  const NpzReader reference(golden("samples_tiny.npz"));
  const NpyArray images = reference.array("arr_0");
  std::vector<std::byte> bytes;
  for (const double value : images.values) bytes.push_back(static_cast<std::byte>(value));
  const auto path = test_file("samples.npz");
  NpzWriter writer(path);
  writer.begin_array("arr_0", "|u1", images.shape);
  writer.append(std::span(bytes).first(100));
  writer.append(std::span(bytes).subspan(100));
  writer.finish();
  EXPECT_EQ(NpzReader(path).array("arr_0").values, images.values);
  const std::string own = content_of(path);
  const std::string numpys = content_of(golden("samples_tiny.npz"));
  const auto array_of = [](const std::string& file) {
    const size_t begin = file.find("\x93NUMPY");
    return file.substr(begin, file.find("PK\x01\x02") - begin);
  };
  EXPECT_EQ(array_of(own), array_of(numpys));
  EXPECT_EQ(own.substr(14, 4), numpys.substr(14, 4)) << "CRC of the local header";
}

TEST(Npz, SaysWhereElementsAreMissingOrTooMany) {
  const auto path = test_file("short.npz");
  const int64_t shape[] = {3};
  const std::vector<std::byte> four(4);
  NpzWriter writer(path);
  writer.begin_array("a", "|u1", shape);
  EXPECT_THROW(writer.append(four), Error);
  writer.append(std::span(four).first(2));
  EXPECT_THROW(writer.finish(), Error);
}

TEST(Npz, RefusesEveryCutAndAlteredFile) {
  const std::string whole = content_of(golden("fid_stats_1.npz"));
  const auto path = test_file("bad.npz");
  const auto read = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    const NpzReader reader(path);
    for (const std::string& name : reader.names()) (void)reader.array(name);
  };
  for (size_t length = 0; length < whole.size(); length += 7) {
    EXPECT_THROW(read(whole.substr(0, length)), Error) << length;
  }
  for (size_t place = 0; place < whole.size(); place += 3) {
    std::string altered = whole;
    altered[place] = static_cast<char>(altered[place] ^ 0x55);
    try {
      read(altered);  // a changed number reads as another number; nothing else may happen
    } catch (const Error&) {
    }
  }
}

Image gradient(int64_t height, int64_t width) {
  Image image(height, width);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      image.pixel(y, x)[0] = static_cast<uint8_t>(4 * y);
      image.pixel(y, x)[1] = static_cast<uint8_t>(3 * x);
      image.pixel(y, x)[2] = 128;
    }
  }
  return image;
}

TEST(Jpeg, IsNearTheImageAndSaysItsSize) {
  const Image image = gradient(24, 40);
  const std::vector<std::byte> bytes = encode_jpeg(image, 95);
  EXPECT_EQ(bytes, encode_jpeg(image, 95));
  const Image back = decode_jpeg(bytes, "test");
  ASSERT_EQ(back.rgb.size(), image.rgb.size());
  for (size_t i = 0; i < back.rgb.size(); ++i) ASSERT_NEAR(back.rgb[i], image.rgb[i], 12) << i;
  EXPECT_LT(encode_jpeg(image, 20).size(), bytes.size());
  const auto header = picture_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->codec, "jpeg");
  EXPECT_EQ(header->height, 24);
  EXPECT_EQ(header->width, 40);
}

TEST(Jpeg, RefusesWhatIsDamagedOrOutOfRange) {
  const std::vector<std::byte> bytes = encode_jpeg(gradient(16, 16), 75);
  EXPECT_THROW(decode_jpeg(std::span(bytes).first(bytes.size() / 2), "cut"), Error);
  EXPECT_THROW(decode_jpeg({}, "empty"), Error);
  EXPECT_THROW(encode_jpeg(gradient(16, 16), 0), Error);
  EXPECT_THROW(encode_jpeg(Image(), 75), Error);
}

TEST(PictureHeader, KnowsPngsByTheirBytes) {
  const auto header = picture_header(encode_png(gradient(5, 9)));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->codec, "png");
  EXPECT_EQ(header->mode, "RGB");
  EXPECT_EQ(header->width, 9);
  EXPECT_FALSE(picture_header({}));
  const std::vector<std::byte> text(40, std::byte{'x'});
  EXPECT_FALSE(picture_header(text));
}

}  // namespace
}  // namespace kvscope
