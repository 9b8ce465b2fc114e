#pragma once

#include <string>
#include <vector>

#include "experiments/report/tables/table.h"
#include "experiments/sweep/configuration.h"

namespace kvscope {

/// What a table of planned memory came to.
struct PaperMemory {
  Table table{};
  int64_t computed = 0;      ///< cells with a number from the plan
  int64_t as_published = 0;  ///< of them, equal to the published number as it was rounded
  int64_t explained = 0;     ///< cells with a reason why they are not
  /// Cells that differ and say no reason, one per line.
  std::vector<std::string> unexplained{};
};

/// Whether the configuration says `mode: plan`, which is a table of planned numbers and no sweep.
bool is_paper_memory(const ConfigArguments& arguments);

/// Throws Error(kConfig) where `typed` names options of a sweep: such a table has none to obey
/// them.
void refuse_for_paper_memory(const std::vector<std::string>& typed);

/// Plans every cell of the `table` group, each a command line of its own, and compares it with the
/// published number; no weight is read. docs/paper_memory.md says what a cell may hold. Throws
/// Error(kConfig) naming the cell for an unknown key, unit or quantity, and what list_points()
/// throws for its overrides.
PaperMemory paper_memory(const ConfigArguments& arguments);

/// `kvscope run +experiment=paper/scalekv_table1_memory`: prints the table and writes it to
/// report/table.{csv,md,tex} and report/index.html of the results folder. Returns 0; 1 where a cell
/// differs from the published number without a reason. Throws Error(kConfig) for overrides that the
/// cells would not see.
int paper_memory_command(const ConfigArguments& arguments, const std::string& command_line);

}  // namespace kvscope
