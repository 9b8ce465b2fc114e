#pragma once

#include <filesystem>
#include <string>

namespace kvscope {

struct CompareOptions {
  std::filesystem::path folder{};  ///< DIR with points/*/result.h5
  std::string metric{};            ///< its name, or all; see chosen_metrics()
  std::string against{};           ///< a policy; empty: values, not differences
  std::string format = "console";  ///< console, csv, md or tex
  bool ansi = false;               ///< bold and colour on a console
};

/// Prints a table a model of the sweep: policies down, budgets across (results/comparison.h).
/// Returns the exit code. Throws Error(kInput) for a folder without points, Error(kConfig) for an
/// unknown metric, policy or format.
int compare_command(const CompareOptions& options);

}  // namespace kvscope
