#include "core/text/captions/clean_caption.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"

namespace kvscope {
namespace {

struct Case {
  std::string caption;
  std::string cleaned;
};

// Each row shows one rule of the reference, after both applications.
const Case kCases[] = {
    {"A Small RED circle, left of a blue square.", "a small red circle, left of a blue square."},
    {"a+red%20circle%2C+caf%C3%A9", "a red circle, caf\u00E9"},
    {"<person> on a horse", "person on a horse"},
    {"see https://x.com/a?b=c for more", "see ?b=c for more"},
    {"photo from www.shop.com/item-3/ today", "photo from today"},
    {"<b>bold</b> &amp; <i class=\"x>y\">it</i><!-- gone -->", "bold it"},
    {"5 < 6 and 7 > 3", "5 < 6 and 7 > 3"},
    {"by @nick_1, thanks", "by , thanks"},
    {"red \u4E2D\u6587 circle \u30AB", "red circle \u30AB"},
    {"a\u2014b \u2013 c \u30A0 d", "a-b - c - d"},
    {"a \u201Cquoted\u201D word, \u2018one\u2019", "a \"quoted\" word, 'one"},
    {"host 192.168.10.1 up", "host up"},
    {"at 5:30 ", "at 5:30"},  // an article id only before white space, which strip() took
    {"one\\ntwo", "one two"},
    {"#12 #1234 #12345 1234567 123456a", "1234 123456a"},
    {"file my.photo.jpg here", "file here"},
    {"wow!!! \"\"\"SALE\"\"\" ... now", "wow!!! \"sale\" now"},
    {"(a) [b] {c} | d / e * f ~ \u2122", "a b c d e f"},
    {"a . b", "a b"},
    {"this-is-my-cute-cat", "this is my cute cat"},
    {"two_joints-only here", "two_joints-only here"},
    {"jc6640 jc6640vc 6640vc231 j2d1a2a", ""},
    {"worldwide free shipping, free download", ""},
    {"click for details or click on this", "or"},
    {"png images and a pdf", "and a"},
    {"see page 12 now", "see now"},
    {"a 640x480 b 12\u0445"
     "13 c 3\u00D74",
     "a b c"},
    {"cats :  dogs", "cats: dogs"},
    {"one,two.three/four", "one, two. three four"},
    {"  many   spaces\t\n ", "many spaces"},
    {"\"all of it\"", "all of it"},
    {"-dash first", "dash first"},
    {"last one,", "last one"},
    {".word", ""},
    {"&lt;b&gt; &eacute;t&eacute; &#65;", "\u00E9t\u00E9 a"},
    {"\uFF21\uFF22 \uFB01ne", "ab fine"},
    {"\u0391\u03A3 \u0130", "\u03B1\u03C2 i\u0307"},
    {"", ""},
    {"   ", ""},
    {"...", ""},
    {"%", "%"},
    {"%E9%zz", "\uFFFD%zz"},
};

TEST(CleanCaption, EveryRule) {
  for (const Case& entry : kCases) EXPECT_EQ(clean_caption(entry.caption), entry.cleaned);
}

TEST(CleanCaption, TheSecondApplicationSeesTheFirstOnesText) {
  // A number spells a capital letter, which only the second application lowers.
  EXPECT_EQ(clean_caption_once("&#65;"), "A");
  EXPECT_EQ(clean_caption("&#65;"), "a");
  // The outer quotes go once an application, as does a mark at each end.
  EXPECT_EQ(clean_caption_once("--a,,"), "a,");
  EXPECT_EQ(clean_caption("--a,,"), "a");
}

TEST(CleanCaption, RefusesWhatIsNotUtf8) {
  EXPECT_THROW((void)clean_caption("a\xFF"), Error);
}

// Whatever comes in: valid UTF-8 comes out, stripped, without what the rules take away last.
TEST(CleanCaption, RandomCaptionsStayText) {
  const std::string words[] = {
      "A",      "cat",     " ",    "<b",  ">",        "&",         "&lt;",     "&#6", ";",   "%C3",
      "%A9",    "http://", ".com", "@x",  "\"",       "'",         "-",        "_",   "...", ":",
      "\u4E2D", "\uFF21",  "12",   "x34", "\xC2\x85", "</script>", "<script>", "\n"};
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string caption;
    for (size_t i = random() % 12; i > 0; --i) caption += words[random() % std::size(words)];
    const std::string cleaned = clean_caption(caption);
    EXPECT_NO_THROW((void)clean_caption_once(cleaned)) << caption;
    EXPECT_EQ(cleaned.find("  "), cleaned.npos) << caption;
    EXPECT_EQ(cleaned.find("\u4E2D"), cleaned.npos) << caption;
    EXPECT_FALSE(cleaned.starts_with(' ') || cleaned.ends_with(' ')) << caption;
  }
}

}  // namespace
}  // namespace kvscope
