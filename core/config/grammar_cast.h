#pragma once

#include <string>

#include "core/config/grammar.h"

namespace kvscope {

/// Whether the override grammar has a cast of that name: int, float, str or bool.
bool is_cast(const std::string& function);

/// A value with whatever is inside it, or a sweep, as the cast turns it into. Throws Error(kConfig)
/// where it cannot.
GrammarResult cast(const std::string& function, const GrammarResult& given);

}  // namespace kvscope
