#pragma once

#include <cstdint>

#include "experiments/report/tables/table.h"

namespace kvscope {

/// Whether a stream takes escape sequences: a terminal, unless NO_COLOR (https://no-color.org) is
/// set and not empty, or TERM is dumb.
bool takes_escapes(int descriptor);

/// Columns of the terminal behind `descriptor` now, else those of $COLUMNS; 0 where it is no
/// terminal or nobody says.
int64_t terminal_columns(int descriptor);

/// How a table is printed to standard output.
ConsoleStyle console_style();

}  // namespace kvscope
