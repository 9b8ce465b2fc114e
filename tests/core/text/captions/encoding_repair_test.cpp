#include "core/text/captions/encoding_repair.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "core/text/captions/caption_text.h"
#include "core/text/captions/clean_caption.h"
#include "core/text/captions/code_pages.h"
#include "core/text/captions/misread_text.h"
#include "core/text/pattern.h"
#include "core/text/utf8.h"
#include "test_paths.h"

namespace kvscope {
namespace {

// The bytes of `text` as a page reads them; nothing stands for Latin-1.
std::string misread(std::string_view text, const CodePage* page) {
  std::string result;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    append_utf8(result, byte < 0x80 || page == nullptr ? byte : page->upper[byte - 0x80U]);
  }
  return result;
}

const CodePage* page(std::string_view name) {
  for (const CodePage& one : code_pages()) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

TEST(EncodingRepair, Utf8ReadByteByByte) {
  EXPECT_EQ(repair_encoding("schÃ¶n"), "schön");
  EXPECT_EQ(repair_encoding("âœ” No problems"), "✔ No problems");
  EXPECT_EQ(repair_encoding("The Mona Lisa doesnâ€™t have eyebrows."),
            "The Mona Lisa doesn’t have eyebrows.");
  EXPECT_EQ(repair_encoding("ÐŸÑ€Ð¸Ð²ÐµÑ‚"), "Привет");
  EXPECT_EQ(repair_encoding("ðŸ˜‚ lol"), "😂 lol");
}

TEST(EncodingRepair, EveryPageAndLatin1) {
  const std::vector<std::string> texts = {"“quoted” — it’s", "naïve café", "日本語テキスト", "😀"};
  for (const std::string& text : texts) EXPECT_EQ(repair_encoding(misread(text, nullptr)), text);
  for (const CodePage& one : code_pages()) {
    int repaired = 0;
    for (const std::string& text : texts) {
      const std::string broken = misread(text, &one);
      if (!is_misread(broken)) continue;  // "cafĂ©" may be meant, as far as one can see
      ++repaired;
      EXPECT_EQ(repair_encoding(broken), text) << one.name;
    }
    EXPECT_GE(repaired, 2) << one.name;
  }
}

TEST(EncodingRepair, LayersComeOffOneByOne) {
  std::string text = "l’été coûte 5 €";
  const std::string meant = text;
  for (int layer = 0; layer < 4; ++layer) {
    text = misread(text, page("windows-1252"));
    EXPECT_EQ(repair_encoding(text), meant) << layer;
  }
  EXPECT_EQ(repair_encoding(misread(misread(meant, page("macintosh")), page("windows-1252"))),
            meant);
}

TEST(EncodingRepair, TextThatIsMeantStays) {
  for (const char* text :
       {"", "plain ASCII ~", "déjà vu, naïveté, Ærø", "Größe: 5 µm ± 2 %",
        "“Smart” ‘quotes’ – etc…", "¿Qué? ¡Ño!", "Привет, мир №1", "Ελληνικά", "日本語",
        "© 2020 Müller®", "20 °C", "IKEA® 50 €", "┬──┬ ノ( ゜-゜ノ)", "ＦＵＬＬ", "10 × 20"}) {
    EXPECT_EQ(repair_encoding(text), text);
  }
}

TEST(EncodingRepair, NoBreakSpacesThatBecameSpaces) {
  EXPECT_EQ(repair_encoding("voilÃ le travail"), "voilà le travail");
  EXPECT_EQ(repair_encoding("Ã  la mode"), "à la mode");
  EXPECT_EQ(repair_encoding("Ã la mode â€“ dÃ©jÃ "), "à la mode – déjà ");
  EXPECT_EQ(repair_encoding("Ã s vezes Ã©"), "às vezes é");  // a contraction is one word
}

TEST(EncodingRepair, LostCharactersAreReplaced) {
  EXPECT_EQ(repair_encoding("â€œ like this â€\uFFFD"), "“ like this \uFFFD");
  EXPECT_EQ(repair_encoding("â€œ like this â€?"), "“ like this \uFFFD");
  EXPECT_EQ(repair_encoding("dÃ©jÃ? vu"), "déj\uFFFD vu");
}

TEST(EncodingRepair, PartsAlone) {
  // Two characters that no page of one byte has, around what one misread.
  EXPECT_EQ(repair_encoding("漢字 schÃ¶n â€“ 漢字"), "漢字 schön – 漢字");
  EXPECT_EQ(repair_encoding("ωfÃ¼rω â€˜x漢"), "ωfürω ‘x漢");
}

TEST(EncodingRepair, VariantsOfUtf8) {
  const std::string cesu = "\xED\xA0\xBD\xED\xB8\x8D";  // U+1F60D, a surrogate at a time
  EXPECT_EQ(repair_encoding(misread(cesu, page("windows-1252"))), "\U0001F60D");
  EXPECT_EQ(repair_encoding(misread("\xC0\x80 \xC3\xA9\xE2\x80\x99", nullptr)),
            std::string("\0 é’", 7));
  // A lone surrogate is no character in any variant; the page's C1 controls are all that is left.
  EXPECT_EQ(repair_encoding(misread("\xED\xA0\xBD", nullptr)), "í\u00A0½");
}

TEST(EncodingRepair, ControlsAreWindows1252) {
  EXPECT_EQ(repair_encoding("\u0093quoted\u0094 \u0085"), "“quoted” …");
  EXPECT_EQ(without_c1_controls("\u0080\u0081\u009F\u00A0"), "€\u0081Ÿ\u00A0");
}

TEST(EncodingRepair, FixTextCallsItInOrder) {
  // References first: they may spell what was misread. Quotes are straightened behind it.
  EXPECT_EQ(fix_text("doesn&acirc;&euro;&trade;t"), "doesn't");
  EXPECT_EQ(fix_text("&macr;\\_(ã\u0083\u0084)_/&macr;"), "¯\\_(ツ)_/¯");
  EXPECT_EQ(fix_text("&lt; &amp;amp;"), "< &");
  EXPECT_EQ(fix_text("P&EACUTE;REZ STRA&SZLIG;E &nTILDE; &semi;"), "PÉREZ STRASSE &nTILDE; ;");
  // A line at a time: the second one's mark of HTML does not keep the first from being read.
  EXPECT_EQ(fix_text("&eacute;\n<b> &eacute;\n&eacute;"), "é\n<b> &eacute;\n&eacute;");
  EXPECT_EQ(fix_text("â€œcafÃ©â€\u009D\nschĂ¶n â€ž"), "\"café\"\nschön \"");
  // Captions are lowered before, which leaves little to repair but quotes.
  EXPECT_EQ(clean_caption("a dog says â€œhello there"), "a dog says \"hello there");
}

// What ftfy 6.3.1 makes of random texts: misread once or several times, whole or in parts, with
// spaces for no-break spaces, with bytes lost, as CESU-8, cut, or drawn letter by letter.
TEST(EncodingRepair, AsFtfyDoes) {
  std::ifstream stream(std::string(kSourceDir) + "/tests/golden/encoding_cases.json");
  const nlohmann::json cases = nlohmann::json::parse(stream);
  ASSERT_GT(cases.size(), 300);
  for (const nlohmann::json& one : cases) {
    EXPECT_EQ(repair_encoding(one.at("text").get<std::string>()), one.at("encoding"));
    EXPECT_EQ(fix_text(one.at("text").get<std::string>()), one.at("fixed"));
  }
}

TEST(EncodingRepair, AnyTextStaysValidAndComesToRest) {
  std::vector<char32_t> letters = {' ', 'a', 'Z', '?', '\n', 0x1A, 0xFFFD, 0x4E2D, 0x1F600};
  for (const CodePage& one : code_pages()) {
    letters.insert(letters.end(), one.upper.begin(), one.upper.end());
  }
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t i = random() % 24; i > 0; --i)
      append_utf8(text, letters[random() % letters.size()]);
    const std::string repaired = repair_encoding(text);
    EXPECT_NO_THROW(check_utf8(repaired, "repaired"));
    EXPECT_EQ(repair_encoding(repaired), repaired);
  }
  std::string runs;
  for (int i = 0; i < 20'000; ++i) runs += "Ã©";
  EXPECT_EQ(repair_encoding(runs).size(), runs.size() / 2);
  EXPECT_EQ(repair_encoding("漢" + runs).size(), 3 + runs.size() / 2);
}

}  // namespace
}  // namespace kvscope
