#pragma once

#include <string>
#include <string_view>

namespace kvscope {

/// `text` (valid UTF-8) with what was decoded in a wrong encoding decoded in the right one, as
/// ftfy 6's fix_encoding does: UTF-8, also CESU-8 and Java's, that was read as Latin-1, Windows-
/// 1252, 1251, 1250, 1253, 1254 or 1257, ISO 8859-2, Mac Roman or code page 437, several times over
/// too; no-break spaces that became spaces; characters of which bytes were lost, as U+FFFD; repair
/// of a part alone where the whole has no one explanation; C1 controls as Windows-1252. Text
/// without the marks of it (see is_misread) stays as it is.
std::string repair_encoding(std::string_view text);

/// U+0080 to U+009F as what Windows-1252 has at these bytes.
std::string without_c1_controls(std::string_view text);

}  // namespace kvscope
