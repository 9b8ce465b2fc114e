#pragma once

#include <string>
#include <vector>

#include "core/config/options.h"

namespace kvscope {

/// The words that a key may be, or be a list of, as describe() names them: of a word key that
/// allows some only, and true and false of a flag. Empty where a key may be anything else.
std::vector<std::string> declared_words(const OptionInfo& option);

}  // namespace kvscope
