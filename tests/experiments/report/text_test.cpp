#include "experiments/report/text.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(Text, MalformedUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(printable("a\xFF"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(printable("\xC0\xAF"), "\uFFFD\uFFFD");                 // overlong slash
  EXPECT_EQ(printable("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");       // a surrogate
  EXPECT_EQ(printable("\xE2\x82"), "\uFFFD\uFFFD");                 // truncated
  EXPECT_EQ(printable("\xF4\x90\x80\x80").substr(0, 3), "\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(printable("naïve — 日本 😀"), "naïve — 日本 😀");
}

TEST(Text, PrintableCannotDriveATerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\td"), "a\uFFFD[31mb c d");
  EXPECT_EQ(printable("\u202Egnp.exe"), "\uFFFDgnp.exe");  // right-to-left override
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\uFFFDb");
}

TEST(Text, DisplayWidthCountsTerminalColumns) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("±—∞"), 3);
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("e\u0301"), 1);  // combining acute
  EXPECT_EQ(display_width(""), 0);
}

TEST(Text, ShortenedFitsAndSaysThatItIs) {
  const std::string text = "a日本e\u0301b";  // 7 columns
  for (int64_t columns = 1; columns <= 9; ++columns) {
    const std::string fitted = shortened(text, columns);
    EXPECT_LE(display_width(fitted), columns);
    EXPECT_EQ(fitted.ends_with("…"), columns < 7) << fitted;
    EXPECT_EQ(fitted == text, columns >= 7);
  }
  EXPECT_EQ(shortened(text, 4), "a日…");
}

TEST(Text, EscapeXmlLeavesNoMarkup) {
  EXPECT_EQ(escape_xml("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_xml("\x01\n"), "\uFFFD\n");
}

TEST(Text, Base64AsInRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\xFD"), "//79");
}

TEST(Text, Superscript) {
  EXPECT_EQ(superscript(1203), "¹²⁰³");
}

}  // namespace
}  // namespace kvscope
