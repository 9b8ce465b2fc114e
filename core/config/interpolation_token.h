#pragma once

#include <string_view>
#include <vector>

#include "core/config/grammar_token.h"

namespace kvscope {

/// Cuts a config value that holds `${`, or (`is_element`) the text of one element as oc.decode
/// reads it, into the tokens of OmegaConf's grammar. The last is kEnd. Throws Error(kConfig).
std::vector<Token> interpolation_tokens(std::string_view text, bool is_element);

}  // namespace kvscope
