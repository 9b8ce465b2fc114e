#pragma once

#include <string>
#include <string_view>

#include "core/text/pattern.h"

namespace kvscope {

/// `pattern` as PCRE2 writes it, so that it matches what it matches in its own dialect. Throws
/// Error(kInput) saying why where the two libraries differ and no translation is known; syntax
/// errors are left to PCRE2.
std::string to_pcre2(std::string_view pattern, PatternDialect dialect);

}  // namespace kvscope
