#pragma once

#include <string_view>

namespace kvscope {

/// Whether the whole of `text` is what the pattern stands for, as Python's fnmatch on Linux: `*`
/// any text, `?` one character, `[ab-d]` one of those, `[!ab-d]` one of all others. A `[` without
/// its
/// `]` is itself; backslashes are, too. Costs text.size() * pattern.size() at worst.
bool glob_match(std::string_view text, std::string_view pattern);

}  // namespace kvscope
