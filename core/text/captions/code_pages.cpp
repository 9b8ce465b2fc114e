#include "core/text/captions/code_pages.h"

#include "core/text/utf8.h"

namespace kvscope {
namespace {

// Bytes 80 to FF, 32 a line where they fit, after the mapping tables that the Unicode Consortium
// publishes. A byte that a page leaves free is the control character of its number, as the
// decoders of browsers have it (WHATWG Encoding Standard, "index windows-1252").
constexpr std::u32string_view kWindows1252 =
    U"€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ"
    U"\u00A0¡¢£¤¥¦§¨©ª«¬\u00AD®¯°±²³´µ¶·¸¹º»¼½¾¿"
    U"ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
    U"àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";
constexpr std::u32string_view kWindows1251 =
    U"ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u0098™љ›њќћџ"
    U"\u00A0ЎўЈ¤Ґ¦§Ё©Є«¬\u00AD®Ї°±Ііґµ¶·ё№є»јЅѕї"
    U"АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
    U"абвгдежзийклмнопрстуфхцчшщъыьэюя";
constexpr std::u32string_view kWindows1250 =
    U"€\u0081‚\u0083„…†‡\u0088‰Š‹ŚŤŽŹ\u0090‘’“”•–—\u0098™š›śťžź"
    U"\u00A0ˇ˘Ł¤Ą¦§¨©Ş«¬\u00AD®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż"
    U"ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
    U"ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
constexpr std::u32string_view kWindows1253 =
    U"€\u0081‚ƒ„…†‡\u0088‰\u008A‹\u008C\u008D\u008E\u008F\u0090‘’“”•–—\u0098™\u009A›\u009C\u009D"
    U"\u009E\u009F"
    U"\u00A0΅Ά£¤¥¦§¨©ª«¬\u00AD®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ"
    U"ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήί"
    U"ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ";
constexpr std::u32string_view kWindows1254 =
    U"€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008D\u008E\u008F\u0090‘’“”•–—˜™š›œ\u009D\u009EŸ"
    U"\u00A0¡¢£¤¥¦§¨©ª«¬\u00AD®¯°±²³´µ¶·¸¹º»¼½¾¿"
    U"ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß"
    U"àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";
constexpr std::u32string_view kWindows1257 =
    U"€\u0081‚\u0083„…†‡\u0088‰\u008A‹\u008C¨ˇ¸\u0090‘’“”•–—\u0098™\u009A›\u009C¯˛\u009F"
    U"\u00A0¡¢£¤¥¦§Ø©Ŗ«¬\u00AD®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ"
    U"ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß"
    U"ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙";
constexpr std::u32string_view kIso88592 =
    U"\u0080\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008A\u008B\u008C\u008D\u008E"
    U"\u008F\u0090\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098\u0099\u009A\u009B\u009C\u009D"
    U"\u009E\u009F"
    U"\u00A0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u00ADŽŻ°ą˛ł´ľśˇ¸šşťź˝žż"
    U"ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
    U"ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
constexpr std::u32string_view kMacRoman =
    U"ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü"
    U"†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø"
    U"¿¡¬√ƒ≈∆«»…\u00A0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ"
    U"‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uF8FFÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
constexpr std::u32string_view kIbm437 =
    U"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
    U"áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    U"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    U"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0";

constexpr CodePage kPages[] = {
    {"windows-1252", kWindows1252, true},
    {"windows-1251", kWindows1251, true},
    {"windows-1250", kWindows1250, true},
    {"windows-1253", kWindows1253, true},
    {"windows-1254", kWindows1254, true},
    {"windows-1257", kWindows1257, true},
    {"iso-8859-2", kIso88592, false},
    // An en dash and a space, D0 20 in this page, are no Cyrillic letter.
    {"macintosh", kMacRoman, false, false},
    {"ibm437", kIbm437, false},
};

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kSubstitute = 0x1A;

}  // namespace

std::span<const CodePage> code_pages() {
  return kPages;
}

char32_t windows_1252(unsigned char byte) {
  return byte < 0x80 ? byte : kWindows1252[byte - 0x80U];
}

std::optional<std::string> page_bytes(const CodePage& page, std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const char32_t code = next_character(text, at);
    if (page.loses_characters && (code == kReplacement || code == kSubstitute)) {
      if (code == kSubstitute) return std::nullopt;
      bytes += static_cast<char>(kSubstitute);
    } else if (code < 0x80) {
      bytes += static_cast<char>(code);
    } else {
      const size_t offset = page.upper.find(code);
      if (offset == page.upper.npos) return std::nullopt;
      bytes += static_cast<char>(0x80 + offset);
    }
  }
  return bytes;
}

std::optional<std::string> latin1_bytes(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const char32_t code = next_character(text, at);
    if (code > 0xFF) return std::nullopt;
    bytes += static_cast<char>(code);
  }
  return bytes;
}

std::string latin1_text(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) append_utf8(text, static_cast<unsigned char>(byte));
  return text;
}

}  // namespace kvscope
