#include "core/image/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

Image pattern(int64_t height, int64_t width) {
  Image image(height, width);
  uint32_t state = 12345;
  for (uint8_t& byte : image.rgb) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return image;
}

std::string refusal(std::span<const std::byte> bytes) {
  try {
    decode_png(bytes, "probe.png");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "";
}

TEST(Png, RoundTripsOddSizesAndTexts) {
  const PngText text{{"kvscope.point", "0f3a"},
                     {"prompt", "un caf\xc3\xa9 \xe2\x98\x95, \"quoted\"\nsecond line"},
                     {"empty", ""}};
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 7}, {64, 64}, {1, 301}, {129, 2}}) {
    const Image image = pattern(height, width);
    const PngContent read = decode_png(encode_png(image, text), "probe");
    EXPECT_EQ(read.image, image) << height << " x " << width;
    EXPECT_EQ(read.text, text);
  }
}

TEST(Png, FilesAppearWholeAndEqualInputGivesEqualBytes) {
  const fs::path path = fs::path(testing::TempDir()) / "png_test/folder/a.png";
  fs::remove_all(path.parent_path());
  const Image image = pattern(20, 31);
  write_png(path, image, {{"seed", "7"}});
  EXPECT_EQ(read_png(path).image, image);
  EXPECT_EQ(read_png(path).text.at("seed"), "7");
  EXPECT_EQ(encode_png(image), encode_png(image));
  EXPECT_THROW(read_png(path.parent_path() / "b.png"), Error);
}

TEST(Png, EveryTruncationIsAnError) {
  const std::vector<std::byte> whole = encode_png(pattern(9, 11), {{"key", "value"}});
  for (size_t length = 0; length + 12 < whole.size(); ++length) {
    EXPECT_THAT(refusal(std::span(whole).first(length)), testing::HasSubstr("probe.png"))
        << length << " of " << whole.size();
  }
}

TEST(Png, DamagedBytesAreRefusedOrChangeNothingThatIsShown) {
  const Image image = pattern(9, 11);
  const std::vector<std::byte> whole = encode_png(image, {{"key", "value"}});
  size_t refused = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::vector<std::byte> damaged = whole;
      damaged[i] ^= static_cast<std::byte>(flip);
      if (const std::string said = refusal(damaged); !said.empty()) {
        EXPECT_THAT(said, testing::HasSubstr("probe.png")) << "byte " << i;
        ++refused;
      } else {  // a text, or what libpng does not look at
        EXPECT_EQ(decode_png(damaged, "probe").image, image) << "byte " << i;
      }
    }
  }
  // Signature, sizes and pixels all have check sums; the text's are warned of only.
  EXPECT_GT(refused, 2 * whole.size());
}

TEST(Png, ReadsTextsInLatin1) {
  std::vector<std::byte> bytes = encode_png(pattern(2, 2));
  // A tEXt chunk "k" = e acute; readers of texts do not depend on its CRC, libpng warns only.
  const std::vector<unsigned char> chunk{0, 0, 0, 3, 't', 'E', 'X', 't', 'k', 0, 0xe9, 0, 0, 0, 0};
  const auto chunk_bytes = std::as_bytes(std::span(chunk));
  bytes.insert(bytes.begin() + 33, chunk_bytes.begin(), chunk_bytes.end());
  EXPECT_EQ(decode_png(bytes, "probe").text.at("k"), "\xc3\xa9");
}

TEST(Png, RefusesEmptyImagesAndForbiddenKeys) {
  EXPECT_THROW(encode_png(Image{}), Error);
  Image short_of_bytes(4, 4);
  short_of_bytes.rgb.pop_back();
  EXPECT_THROW(encode_png(short_of_bytes), Error);
  for (const std::string& key : {std::string(), std::string(80, 'k'), std::string("a\nb"),
                                 std::string(" lead"), std::string("caf\xc3\xa9")}) {
    EXPECT_THROW(encode_png(pattern(2, 2), {{key, "v"}}), Error) << key;
  }
  EXPECT_THROW(encode_png(pattern(2, 2), {{"k", std::string("a\0b", 3)}}), Error);
}

}  // namespace
}  // namespace kvscope
