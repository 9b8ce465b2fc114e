#pragma once

#include <string>

#include "experiments/report/tables/table.h"

namespace kvscope {

/// What all rows of a table are of.
struct RowsOf {
  std::string model{};
  std::string recipe{};  ///< in full
  std::string metric{};
  std::string unit{};  ///< of its numbers
};

/// A table of policies by budget with a row a cell: policy, budget, value.
Table row_per_cell(const Table& by_budget);

/// Tables of one kind as one for programs: what the rows are of stands in columns of its own, units
/// too, so that the columns are the same whatever the metric.
class LongTable {
 public:
  /// Its columns are those of the tables before. Throws Error(kConfig) for others.
  void add(const Table& table, const RowsOf& of);
  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] bool empty() const { return table_.columns.empty(); }

 private:
  Table table_;
};

}  // namespace kvscope
