#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// The kvscope program: `arguments` without the program's name. Returns the exit code: 0 done, 1
/// some points failed, 2 the command line or configuration is wrong and nothing was written, 3 the
/// environment or an input file is at fault, 130 interrupted. Messages go to stderr.
int run_program(const std::vector<std::string>& arguments);

}  // namespace kvscope
