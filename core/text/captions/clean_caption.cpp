#include "core/text/captions/clean_caption.h"

#include <vector>

#include "core/text/captions/caption_text.h"
#include "core/text/captions/html.h"
#include "core/text/pattern.h"

namespace kvscope {
namespace {

struct Rule {
  const char* pattern;
  const char* replacement;
};

// A host and path of the common domains, behind a scheme or without one.
#define KVSCOPE_HOST R"([a-zA-Z0-9.\-]+\.(?:com|co|ru|net|org|edu|gov|it)[\w/-]*\b/?(?!@))"
#define KVSCOPE_AFTER_SCHEME R"((?:/{1,3}|[a-zA-Z0-9%]))"
#define KVSCOPE_EXTENSION "(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)"

constexpr Rule kBeforeHtml[] = {
    {"<person>", "person"},
    {R"(\b(?:https?:)" KVSCOPE_AFTER_SCHEME "|" KVSCOPE_HOST ")", ""},
    {R"(\b(?:www:)" KVSCOPE_AFTER_SCHEME "|" KVSCOPE_HOST ")", ""},
};

constexpr Rule kSymbols[] = {
    {R"(@\w+\b)", ""},  // nicknames
    // CJK strokes, Katakana extensions, enclosed and compatibility forms, ideographs, hexagrams.
    {R"([\x{31C0}-\x{9FFF}])", ""},
    {R"([-\x{58A}\x{5BE}\x{1400}\x{1806}\x{2010}-\x{2015}\x{2E17}\x{2E1A}\x{2E3A}\x{2E3B}\x{2E40})"
     R"(\x{301C}\x{3030}\x{30A0}\x{FE31}\x{FE32}\x{FE58}\x{FE63}\x{FF0D}]+)",
     "-"},
    {"[`\u00B4\u00AB\u00BB\u201C\u201D\u00A8]", "\""},
    {"[\u2018\u2019]", "'"},
    {"&quot;?", ""},
    {"&amp", ""},
    {R"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})", " "},  // IP addresses
    {R"(\d:\d\d\s+$)", ""},                          // article ids
    {R"(\\n)", " "},                                 // a backslash and an n
    {R"(#\d{1,3}\b)", ""},
    {R"(#\d{5,}\b)", ""},
    {R"(\b\d{6,}\b)", ""},
    {R"(\S+\.)" KVSCOPE_EXTENSION, ""},
    {R"(["']{2,})", "\""},
    {R"(\.{2,})", " "},
    {"[#\u00AE\u2022\u00A9\u2122&@\u00B7\u00BA\u00BD\u00BE\u00BF\u00A1\u00A7~"
     R"()(\]\[}{|\\/*]+)",
     " "},
    {R"(\s+\.\s+)", " "},
};

constexpr Rule kWords[] = {
    {R"(\b[a-zA-Z]{1,3}\d{3,15}\b)", ""},  // jc6640
    {R"(\b[a-zA-Z]+\d+[a-zA-Z]+\b)", ""},  // jc6640vc
    {R"(\b\d+[a-zA-Z]+\d+\b)", ""},        // 6640vc231
    {R"((?:worldwide\s+)?(?:free\s+)?shipping)", ""},
    {R"((?:free\s)?download(?:\sfree)?)", ""},
    {R"(\bclick\b\s(?:for|on)\s\w+)", ""},
    {R"(\b)" KVSCOPE_EXTENSION R"((?:\simages?)?)", ""},
    {R"(\bpage\s+\d+\b)", ""},
    {R"(\b\d*[a-zA-Z]+\d+[a-zA-Z]+\d+[a-zA-Z\d]*\b)", " "},  // j2d1a2a
    {"\\b\\d+\\.?\\d*[x\u0445\u00D7]\\d+\\.?\\d*\\b", ""},   // 640x480, also with a Cyrillic x
    {R"(\b\s+:\s+)", ": "},
    {R"((\D[,./])\b)", "$1 "},
    {R"(\s+)", " "},
    // White space at the ends stays until these four are done: the reference drops the result of
    // its strip() here.
    {R"(^["'](?s:(.+))["']$)", "$1"},
    {"^['_,\\-:;]", ""},
    {R"(['_,\-:+]$)", ""},
    {R"(^\.\S+$)", ""},
};

#undef KVSCOPE_HOST
#undef KVSCOPE_AFTER_SCHEME
#undef KVSCOPE_EXTENSION

template <size_t kCount>
std::string apply(const Rule (&rules)[kCount], std::string text) {
  for (const Rule& rule : rules) {
    text =
        Pattern(rule.pattern, PatternDialect::kPython, "caption").replace(text, rule.replacement);
  }
  return text;
}

// this_is_my_cute_cat
std::string without_joints(std::string text) {
  const Pattern joint("[-_]", PatternDialect::kPython, "caption");
  return joint.find_all(text).size() > 3 ? joint.replace(text, " ") : text;
}

}  // namespace

std::string clean_caption_once(std::string_view caption) {
  check_utf8(caption, "caption");
  std::string text = lower_case(strip(url_unquote_plus(caption)));
  text = html_text(apply(kBeforeHtml, text));
  text = without_joints(apply(kSymbols, text));
  text = strip(html_unescape(html_unescape(fix_text(text))));
  return strip(apply(kWords, text));
}

std::string clean_caption(std::string_view caption) {
  return clean_caption_once(clean_caption_once(caption));
}

}  // namespace kvscope
