#pragma once

#include "core/config/grammar.h"

namespace kvscope {

/// start, start + step, ... up to but without stop: integers, or floats where any bound is one.
/// Throws Error(kConfig): no step, bounds that are not finite or beyond 64 bits, more than a
/// million values.
GrammarSweep range_sweep(const ConfigNode& start, const ConfigNode& stop, const ConfigNode& step);

/// The same values in rising order, or falling.
GrammarSweep sorted_range(const GrammarSweep& range, bool falling);

}  // namespace kvscope
