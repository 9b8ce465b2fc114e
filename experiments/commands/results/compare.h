#pragma once

#include <filesystem>
#include <string>

#include "experiments/report/tables/table.h"

namespace kvscope {

struct CompareOptions {
  std::filesystem::path folder{};  ///< DIR with points/*/result.h5
  std::string metric{};            ///< its name, or all; see chosen_metrics()
  std::string against{};           ///< a policy; empty: values, not differences
  std::string format = "console";  ///< console, csv, md or tex
  ConsoleStyle style{};            ///< of the console format
};

/// Prints a table a model of the sweep: policies down, budgets across (results/comparison.h).
/// Returns the exit code. Throws Error(kInput) for a folder without points, Error(kConfig) for an
/// unknown metric, policy or format.
int compare_command(const CompareOptions& options);

}  // namespace kvscope
