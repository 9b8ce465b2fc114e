#pragma once

#include <string>
#include <string_view>

namespace kvscope {

/// `text` (valid UTF-8) in Unicode's normal form C: letters and their marks as one character where
/// there is one.
std::string composed_text(std::string_view text);

/// Likewise form KC: also compatibility characters as what they stand for.
std::string compatible_text(std::string_view text);

}  // namespace kvscope
