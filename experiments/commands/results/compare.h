#pragma once

#include <filesystem>
#include <string>

#include "analysis/statistics/paired_comparison.h"
#include "experiments/report/tables/table.h"

namespace kvscope {

struct CompareOptions {
  std::filesystem::path folder{};  ///< DIR with points/*/result.h5, or the folder of a point
  std::filesystem::path other{};   ///< likewise, to be compared with it; empty: none
  std::string metric{};            ///< its name, or all; see chosen_metrics()
  std::string against{};           ///< a policy; empty: values, not differences
  ComparisonOptions comparison{};  ///< how differences are judged
  std::string format = "console";  ///< console, csv, md or tex
  ConsoleStyle style{};            ///< of the console format
  bool json = false;               ///< one object with all tables and notes instead
};

/// Prints a table a model of the sweep: policies down, budgets across (results/comparison.h), and
/// behind differences what they are worth; or the differences of two sweeps
/// (results/two_sweeps.h). Returns the exit code. Throws Error(kInput) for a folder without points,
/// Error(kConfig) for an unknown metric, policy, test or format.
int compare_command(const CompareOptions& options);

}  // namespace kvscope
