#pragma once

#include <string>

namespace kvscope {

/// A word as a POSIX shell reads it back: as it is where nothing in it means anything to a shell,
/// else in single quotes, or in double quotes where that is easier to read ("a='b'").
std::string shell_word(const std::string& word);

}  // namespace kvscope
