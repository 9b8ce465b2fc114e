#include "experiments/results/long_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

TableColumn text_column(const char* header) {
  return {.header = header, .align = Align::kLeft, .importance = Importance::kRow};
}

}  // namespace

Table row_per_cell(const Table& by_budget) {
  Table cells{.title = by_budget.title,
              .columns = {text_column("policy"),
                          text_column("budget"),
                          {.header = "value", .always_ends = true}},
              .ends_name = by_budget.ends_name};
  for (const TableRow& row : by_budget.rows) {
    for (size_t c = 1; c < row.cells.size(); ++c) {
      cells.rows.push_back(
          {.cells = {row.cells.front(), TableCell::text(by_budget.columns.at(c).header),
                     row.cells[c]},
           .reference = row.reference});
    }
  }
  return cells;
}

void LongTable::add(const Table& table, const RowsOf& of) {
  std::vector<TableColumn> columns = {text_column("model"), text_column("recipe"),
                                      text_column("metric"), text_column("unit")};
  for (TableColumn column : table.columns) {
    column.unit.clear();
    columns.push_back(std::move(column));
  }
  if (empty()) {
    table_.columns = columns;
    table_.ends_name = table.ends_name;
  }
  if (!std::ranges::equal(table_.columns, columns, {}, &TableColumn::header,
                          &TableColumn::header)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("table '{}' has other columns than those before it", table.title));
  }
  for (const TableRow& row : table.rows) {
    TableRow whole{.cells = {TableCell::text(of.model), TableCell::text(of.recipe),
                             TableCell::text(of.metric), TableCell::text(of.unit)},
                   .reference = row.reference};
    whole.cells.insert(whole.cells.end(), row.cells.begin(), row.cells.end());
    table_.rows.push_back(std::move(whole));
  }
}

}  // namespace kvscope
