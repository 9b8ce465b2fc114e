#include "core/text/captions/misread_text.h"

#include <initializer_list>
#include <string>

#include "core/text/captions/code_pages.h"
#include "core/text/utf8.h"

namespace kvscope {
namespace {

using Members = std::string;  // of a character class, without the brackets

// In UTF-8 what the bytes first..last stand for in any of the pages that Latin-1 resembles.
Members of_bytes(unsigned char first, unsigned char last) {
  constexpr std::string_view kLatinLike = "windows-";
  Members members;
  for (unsigned byte = first; byte <= last; ++byte) {
    append_utf8(members, byte);
    for (const CodePage& page : code_pages()) {
      if (page.name.starts_with(kLatinLike)) append_utf8(members, page.upper[byte - 0x80]);
    }
  }
  return members;
}

// Characters beyond ASCII of all pages that `property` matches, but for those in `without`.
Members of_pages(const char* property, std::string_view without) {
  const Pattern pattern(property, PatternDialect::kPython, "misread text");
  Members members;
  const auto add = [&](char32_t code) {
    std::string character;
    append_utf8(character, code);
    if (pattern.find(character) && without.find(character) == without.npos) members += character;
  };
  for (char32_t code = 0x80; code <= 0xFF; ++code) add(code);
  for (const CodePage& page : code_pages()) {
    for (const char32_t code : page.upper) add(code);
  }
  return members;
}

std::string one_of(std::initializer_list<std::string_view> sets) {
  std::string result = "[";
  for (const std::string_view set : sets) result += set;
  return result + "]";
}

// Kinds of characters by how they are used when somebody means them. Letters of faces such as ÒwÓ
// may stand anywhere but beside boxes.
struct Kinds {
  Members control = R"(\x{80}-\x{9F})";
  Members anywhere = "\u00A0\u00AD·´–—―…’";
  Members never = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\uFFFDªº";
  Members legal = "¶§";
  Members currency = of_pages(R"(\p{Sc})", "¤");
  Members opening = "¡«¿©΄΅‘‚“„•‹\uF8FF";
  Members closing = "®»˝”›™";
  Members numeric = of_pages(R"(\p{Sm}|[²³¹¼½¾])", "¬∙⌠⌡") + "µ№";
  Members face = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°";
  Members upper = of_pages(R"((?=\p{Lu})\p{Latin})", "ÒÓÔÕÖÙÚÛŌŐŪŲÞĮŔŖ") + "Ґ";
  Members lower = of_pages(R"((?=\p{Ll})\p{Latin})", "òóôõöøùúûýþÿıńņňōőŗřţūůűųƒ") + "ґ";
  Members other_upper = R"(Þ\x{386}\x{388}-\x{38A}\x{38C}\x{38E}\x{38F}\x{391}-\x{3AB})"
                        R"(\x{401}-\x{42F})";  // Greek and Cyrillic
  Members other_lower = R"(\x{3AC}-\x{3C9}\x{430}-\x{45F})";
  Members box = of_pages(R"([\x{2500}-\x{259F}])", "─└┴");
};

// Two neighbours, by the second: nobody writes it behind one of the first.
std::vector<std::string> unlikely_pairs(const Kinds& k) {
  const auto pair = [](const std::string& first, const std::string& second) {
    return first + second;
  };
  const std::string marks =
      one_of({k.lower, k.upper, k.box, k.opening, k.closing, k.currency, k.numeric, k.legal});
  const std::string never = one_of({k.never});
  return {
      one_of({k.control}),
      pair(one_of({k.never, k.lower, k.upper, k.box, k.opening, k.closing, k.currency, k.numeric,
                   k.legal}),
           never),
      pair(never, marks),
      pair(one_of({k.lower, k.other_lower, k.box, k.closing, k.currency, k.numeric}),
           one_of({k.upper})),
      pair(one_of({k.box, k.closing, k.currency, k.numeric}), one_of({k.lower})),
      pair(one_of({k.lower, k.box, k.closing}), one_of({k.currency})),
      pair(one_of({k.upper, k.box}), one_of({k.numeric, k.legal})),
      pair(one_of({k.currency, k.numeric, k.box}), one_of({k.opening})),
      pair(one_of({k.box}), one_of({k.face, k.closing})),
      pair(one_of({k.lower, k.upper, k.currency, k.numeric, k.opening, k.closing, k.legal}),
           one_of({k.box})),
  };
}

// What only a third character makes unlikely.
std::vector<std::string> unlikely_triples(const Kinds& k) {
  return {
      "[a-zA-Z]" + one_of({k.other_lower, k.other_upper}) + one_of({k.never}),
      R"(\s)" + one_of({k.upper}) + one_of({k.currency}),
      "[a-z]" + one_of({k.upper}) + one_of({k.opening, k.currency}),
      one_of({k.lower, k.upper, k.box, k.currency, k.closing}) + one_of({k.opening}) +
          one_of({k.numeric}),
      one_of({k.lower, k.upper, k.currency, k.numeric, k.box, k.legal}) + one_of({k.closing}) +
          one_of({k.opening}),
      one_of({k.lower, k.upper}) + one_of({k.opening, k.closing}) + R"(\w)",
      one_of({"a-z.,?!", k.closing}) + "Â" + one_of({" ", k.opening, k.closing}),
  };
}

// Beginnings of common characters in one page: what UTF-8 has there, read byte by byte.
std::vector<std::string> known_beginnings(const Kinds& k) {
  const std::string arabic =
      "[ØÙ]" + one_of({k.anywhere, k.currency, k.never, k.numeric, k.opening, "ŸŠ®°µ»"});
  const auto between = [&](const char* letters, const char* more) {
    return letters + one_of({k.control, k.never, k.opening, k.closing, k.currency, "°", more}) +
           letters;
  };
  return {
      // Windows-1252
      "[Œœ][^A-Za-z]",
      one_of({k.upper}) + "°",
      "[ÂÃÎÐ]" + one_of({"€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´", k.opening, k.closing}),
      "×[²³]",
      arabic + arabic,
      "à[²µ¹¼½¾]",
      "Ã[\u00A0¡]",
      R"((?:[a-z]\s?|^)[ÃÂ] )",
      // Mac Roman
      "√[±∂†≠®™´≤≥¥µø]",
      "≈[°¢]",
      "‚Ä[ìîïòôúùû†°¢π]",
      "‚[âó][àä°ê]",
      // Windows-1251; then Latin-1 and Windows-1252 misread one after the other, in 1251
      "вЂ",
      between("[ВГРС]", "µ"),
      "ГўВЂВ.[A-Za-z ]",
      // Windows-1253
      "β€[™\u00A0Ά\u00AD®°]",
      between("[ΒΓΞΟ]", ""),
      // Windows-1257
      "ā€",
  };
}

Pattern misread_pattern() {
  const Kinds kinds;
  std::string alternatives;
  for (const auto& part :
       {unlikely_pairs(kinds), unlikely_triples(kinds), known_beginnings(kinds)}) {
    for (const std::string& one : part) alternatives += (alternatives.empty() ? "" : "|") + one;
  }
  return {alternatives, PatternDialect::kPython, "misread text"};
}

Pattern run_pattern() {
  const std::string continuing = "[ " + of_bytes(0x80, 0xBF) + "]";
  const std::string of_two = "[" + of_bytes(0xC2, 0xDF) + "]" + continuing;
  const std::string of_three = "[" + of_bytes(0xE0, 0xEF) + "]" + continuing + "{2}";
  // Emoji and tag characters; no other planes are in use.
  const std::string of_four =
      "[" + of_bytes(0xF0, 0xF0) + of_bytes(0xF3, 0xF3) + "]" + continuing + "{3}";
  // Quotes, dashes and bullets continue sequences as well, but stand before anything in a text.
  const std::string plain_mark = "[‘’‚“”„•–—―…]";
  return {"(?<!(?!" + plain_mark + ")[" + of_bytes(0x80, 0xBF) + "])(?:" + of_two + "|" + of_three +
              "|" + of_four + ")++",
          PatternDialect::kPython, "misread text"};
}

}  // namespace

bool is_misread(std::string_view text) {
  static const Pattern pattern = misread_pattern();
  return pattern.find(text).has_value();
}

std::vector<TextRange> misread_runs(std::string_view text) {
  static const Pattern pattern = run_pattern();
  return pattern.find_all(text);
}

}  // namespace kvscope
