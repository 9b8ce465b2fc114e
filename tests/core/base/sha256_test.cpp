#include "core/base/sha256.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

// FIPS 180-4 examples and NIST's long message.
TEST(Sha256, AgreesWithNistVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameDigestAsTheWhole) {
  for (const size_t length :
       {1u, 54u, 55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 127u, 128u, 1000u}) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += static_cast<char>(i * 37);
    Sha256 pieces;
    for (size_t i = 0; i < length; i += 7) pieces.update(std::string_view(text).substr(i, 7));
    EXPECT_EQ(pieces.hex_digest(), sha256_hex(text)) << length;
  }
}

}  // namespace
}  // namespace kvscope
