#include "core/text/tokenizers/byte_level.h"

#include <gtest/gtest.h>

#include <set>

namespace kvscope {
namespace {

TEST(ByteLevel, EveryByteHasOneCharacterAndComesBack) {
  std::set<std::string> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = byte_level_text(std::string(1, static_cast<char>(byte)));
    EXPECT_TRUE(seen.insert(text).second) << byte;
    EXPECT_EQ(byte_level_bytes(text), std::string(1, static_cast<char>(byte))) << byte;
  }
}

TEST(ByteLevel, KnownCharacters) {
  EXPECT_EQ(byte_level_text("Az !~"), "Az\u0120!~");  // a space is the 33rd byte that is moved
  EXPECT_EQ(byte_level_text(std::string("\0\n\x7F", 3)), "\u0100\u010A\u0121");
  EXPECT_EQ(byte_level_text("\x80\xA0\xAD"), "\u0122\u0142\u0143");
  EXPECT_EQ(byte_level_text("\u00E9"), "\u00C3\u00A9");  // its two bytes
}

TEST(ByteLevel, OtherCharactersStandForNoByte) {
  for (const char* text : {"a b", "\u0144", "\u00AD", "\u2581", "\U0001F600", "\n", "\xC3"}) {
    EXPECT_EQ(byte_level_bytes(text), std::nullopt) << text;
  }
  EXPECT_EQ(byte_level_bytes(""), "");
}

}  // namespace
}  // namespace kvscope
