#pragma once

#include <filesystem>
#include <string>

namespace kvscope {

struct ReportOptions {
  std::filesystem::path folder{};  ///< DIR with points/*/result.h5
  std::string title{};             ///< empty: the folder's name
};

/// Table, plots and contact sheet, and DIR/report/index.html with all of them in one file. Prints
/// the paths only, not the table. Returns the exit code. Errors: those of the single commands.
int report_command(const ReportOptions& options);

}  // namespace kvscope
