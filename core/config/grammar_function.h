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

/// Evaluates name(arguments) as Hydra 1.3 does: choice, range, interval, glob, sort, shuffle, tag,
/// and the casts int, float, str, bool. Two things are as in Hydra 1.4: ranges of floats step in
/// decimal (0.7 and not 0.7000000000000001), and a sorted range ends where it ended. Throws
/// Error(kConfig): unknown function (nearest named), wrong arguments, ranges that never end or have
/// more than a million values.
GrammarResult call_grammar_function(const std::string& name,
                                    std::vector<GrammarArgument> arguments);

}  // namespace kvscope
