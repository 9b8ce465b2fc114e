#include "core/text/utf8.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(Utf8, EveryCharacterThereAndBack) {
  for (char32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 211) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text = "x";
    append_utf8(text, code);
    size_t at = 1;
    EXPECT_EQ(next_character(text, at), code);
    EXPECT_EQ(at, text.size());
    const Utf8Step step = utf8_step(text, 1);
    EXPECT_TRUE(step.whole);
    EXPECT_EQ(step.bytes, text.size() - 1);
  }
}

TEST(Utf8, StepsSayWhatIsNoCharacter) {
  const auto broken = [](std::string_view bytes) {
    const Utf8Step step = utf8_step(bytes, 0);
    return step.whole ? size_t{0} : step.bytes;
  };
  EXPECT_EQ(broken("\x80"), 1);
  EXPECT_EQ(broken("\xC0\x80"), 1);          // overlong
  EXPECT_EQ(broken("\xE0\x9F\xBF"), 1);      // overlong
  EXPECT_EQ(broken("\xED\xA0\x80"), 1);      // a surrogate
  EXPECT_EQ(broken("\xF4\x90\x80\x80"), 1);  // above U+10FFFF
  EXPECT_EQ(broken("\xF0\x9F\x98x"), 3);
  EXPECT_EQ(broken("\xE2\x82"), 2);
  EXPECT_EQ(broken("\xFF"), 1);
}

}  // namespace
}  // namespace kvscope
