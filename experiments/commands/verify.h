#pragma once

#include <string>
#include <vector>

namespace kvscope {

struct VerifyOptions {
  std::vector<std::string> files{};
  std::string device = "cpu";  ///< see open_device()
  bool json = false;           ///< a JSON object per file and line instead of tables
};

/// `kvscope verify FILE...`: recomputes every file and prints a table of its groups (largest
/// |difference|, tolerance, verdict). A file that cannot be judged, damaged or of an unknown kind,
/// is named and the others go on. Returns the exit code: 0 where all are within tolerance, 3 where
/// a file could not be judged, else 1. Throws Error as open_device() does.
int verify_command(const VerifyOptions& options);

}  // namespace kvscope
