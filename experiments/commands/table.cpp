#include "experiments/commands/table.h"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "experiments/report/table.h"
#include "experiments/results/sweep_table.h"

namespace kvscope {
namespace {

struct TableFormat {
  std::string name;
  std::function<std::string(const Table&)> write;
};

const std::vector<TableFormat>& file_formats() {
  static const std::vector<TableFormat> formats = {
      {"csv", csv_table}, {"md", markdown_table}, {"tex", latex_table}};
  return formats;
}

std::string shown(const Table& table, const TableOptions& options) {
  if (options.format == "console") return console_table(table, options.ansi);
  std::vector<std::string> known = {"console"};
  for (const TableFormat& format : file_formats()) {
    if (format.name == options.format) return format.write(table);
    known.push_back(format.name);
  }
  throw Error(ErrorKind::kConfig, fmt::format("no table format '{}'. {}", options.format,
                                              suggestion(options.format, known)));
}

}  // namespace

int table_command(const TableOptions& options) {
  shown({}, options);  // an unknown format before anything is read or written
  const SweepSummary sweep = summarise_sweep(options.folder);
  const Table table = sweep_table(sweep);
  for (const TableFormat& format : file_formats()) {
    write_file_atomically(options.folder / "report" / ("table." + format.name),
                          format.write(table));
  }
  fmt::print("{}", shown(table, options));
  for (const std::string& note : sweep.notes) fmt::print(stderr, "note: {}\n", note);
  return 0;
}

}  // namespace kvscope
