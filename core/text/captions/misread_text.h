#pragma once

#include <string_view>
#include <vector>

#include "core/text/pattern.h"

namespace kvscope {

/// Whether characters stand side by side in `text` (valid UTF-8) as they do where UTF-8 was decoded
/// with a page of one byte a character, and hardly ever where somebody wrote them: an accented
/// letter before a currency sign, say. What counts is as in ftfy 6 (its "badness").
bool is_misread(std::string_view text);

/// Runs of characters of one byte each, in one page or another, that are whole sequences of UTF-8;
/// spaces count as no-break spaces. None behind a character that could continue a sequence.
std::vector<TextRange> misread_runs(std::string_view text);

}  // namespace kvscope
