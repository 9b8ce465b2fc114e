#include "core/text/captions/caption_text.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(UrlUnquotePlus, EscapesAreBytesOfUtf8) {
  EXPECT_EQ(url_unquote_plus("a+b%20c%2B"), "a b c+");
  EXPECT_EQ(url_unquote_plus("%C3%A9\u00E9"), "\u00E9\u00E9");
  EXPECT_EQ(url_unquote_plus("%f0%9F%98%80"), "\U0001F600");
  EXPECT_EQ(url_unquote_plus("100% %2 %g0 %"), "100% %2 %g0 %");
  EXPECT_EQ(url_unquote_plus(""), "");
}

TEST(UrlUnquotePlus, DamagedBytesBecomeReplacements) {
  EXPECT_EQ(url_unquote_plus("%E9x"), "\uFFFDx");
  EXPECT_EQ(url_unquote_plus("%F0%9F%98x"), "\uFFFDx");            // one for a beginning
  EXPECT_EQ(url_unquote_plus("%ED%A0%80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate: none begins
  EXPECT_EQ(url_unquote_plus("%C0%80%FF"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(url_unquote_plus("%C3\u00A9"), "\uFFFD\u00A9");  // not joined with what was no escape
}

TEST(LowerCase, BeyondOneLetterForAnother) {
  EXPECT_EQ(lower_case("\u00C9T\u00C9 STRASSE \u1E9E"), "\u00E9t\u00E9 strasse \u00DF");
  EXPECT_EQ(lower_case("\u0130\u01C4\u01C5"), "i\u0307\u01C6\u01C6");
  EXPECT_EQ(lower_case("\u03A3\u03A3 \u03A3 \u03A3\u0391\u03A3"),
            "\u03C3\u03C2 \u03C3 \u03C3\u03B1\u03C2");
  EXPECT_EQ(lower_case("\u2167 \u24B6 \u216F\u24CF"), "\u2177 \u24D0 \u217F\u24E9");
  EXPECT_EQ(lower_case("a\u00B2\n\u4E2D"), "a\u00B2\n\u4E2D");
}

TEST(Strip, WhiteSpaceAsPythonSeesIt) {
  EXPECT_EQ(strip(" \t\u00A0\u3000\x1C"
                  "a b\u2028\n"),
            "a b");
  EXPECT_EQ(strip("\u200Ba\u180E"), "\u200Ba\u180E");
  EXPECT_EQ(strip(" \n "), "");
}

TEST(FixText, Repairs) {
  EXPECT_EQ(fix_text("\u201Ca\u201E \u2018b\u201B"), "\"a\" 'b'");
  EXPECT_EQ(fix_text("\uFB03 \u0132 \uFB05"), "ffi IJ \u017Ft");
  EXPECT_EQ(fix_text("\uFF21\uFF5E\u3000!"), "A~ !");
  EXPECT_EQ(fix_text("a\r\nb\rc\u2028d"), "a\nb\nc\nd");
  EXPECT_EQ(fix_text("\x1B[31;1mred\x1B[0m\u0093x\u0094"), "red\"x\"");
  EXPECT_EQ(fix_text(std::string("a\0\x7F\uFEFF\tb", 8)), "a\tb");
}

TEST(FixText, CharacterReferencesOnlyOutsideHtml) {
  EXPECT_EQ(fix_text("&amp;amp;lt; &copy;"), "< \u00A9");
  EXPECT_EQ(fix_text("&copy &nosuch; &#169;"), "&copy &nosuch; \u00A9");
  EXPECT_EQ(fix_text("<b> &copy;"), "<b> &copy;");
}

}  // namespace
}  // namespace kvscope
