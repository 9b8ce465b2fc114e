#pragma once

#include <filesystem>
#include <string>

#include "experiments/report/tables/table.h"

namespace kvscope {

struct TableOptions {
  std::filesystem::path folder{};  ///< DIR with points/*/result.h5
  std::string format = "console";  ///< console, csv, md or tex
  std::string by_skill{};          ///< a metric: its values by skill instead; empty: the sweep's
  bool json = false;               ///< one JSON object instead
  ConsoleStyle style{};            ///< of the console format
};

/// Prints the sweep's table to stdout and writes DIR/report/table.{csv,md,tex}. Returns the exit
/// code. Throws Error(kInput) for a folder without points, Error(kConfig) for an unknown format.
int table_command(const TableOptions& options);

/// The table as console, csv, md or tex text. Throws Error(kConfig) for another
/// format.
std::string formatted_table(const Table& table,
                            const std::string& format,
                            const ConsoleStyle& style);

}  // namespace kvscope
