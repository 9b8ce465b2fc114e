#pragma once

#include <string>
#include <vector>

#include "core/config/grammar.h"

namespace kvscope {

/// One argument of a function of the override grammar: `exclude=full` or a plain value.
struct GrammarArgument {
  std::string name;  // "" = positional
  GrammarResult value;
};

/// Evaluates name(arguments). Throws Error(kConfig): unknown function (nearest named), wrong
/// arguments.
GrammarResult call_grammar_function(const std::string& name,
                                    const std::vector<GrammarArgument>& arguments);

}  // namespace kvscope
