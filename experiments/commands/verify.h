#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// `kvscope verify FILE...`: recomputes every file and prints a table of its groups (largest
/// |difference|, tolerance, verdict). Returns the exit code: 0 where all are within tolerance, else
/// 1. Throws Error for the first file that cannot be verified: damaged, or of an unknown kind.
int verify_command(const std::vector<std::string>& files);

}  // namespace kvscope
