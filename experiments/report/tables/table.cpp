#include "experiments/report/tables/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::string shown(double value, int decimals) {
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  std::string digits = fmt::format("{:.{}f}", value, std::clamp(decimals, 0, 17));
  const bool is_zero = digits.find_first_of("123456789") == std::string::npos;
  if (is_zero && digits.front() == '-') digits.erase(0, 1);
  return digits;
}

int decimals_of(const TableNumber& number, const TableColumn& column) {
  return number.decimals >= 0 ? number.decimals : column.decimals;
}

// The value as a reader sees it, so that cells which look equal rank equal.
double rounded(const TableNumber& number, const TableColumn& column) {
  if (std::isinf(number.value)) return number.value;
  return std::stod(shown(number.value, decimals_of(number, column)));
}

void check_shape(const Table& table) {
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (table.rows[r].cells.size() == table.columns.size()) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("table '{}': row {} has {} cells, expected one for each of {} columns",
                            table.title, r, table.rows[r].cells.size(), table.columns.size()));
  }
}

}  // namespace

TableCell TableCell::number(double value, double half_width, int decimals) {
  if (std::isnan(value)) return missing("not a number");
  return {TableNumber{.value = value,
                      .half_width = std::isnan(half_width) ? -1 : half_width,
                      .decimals = decimals}};
}

TableCell TableCell::between(double value, double low, double high) {
  if (std::isnan(value) || std::isnan(low) || std::isnan(high)) return number(value);
  const double width = high - low;
  constexpr double kRounding = 1e-9;
  if (std::abs((high - value) - (value - low)) <= kRounding * width)
    return number(value, width / 2);
  return {TableNumber{.value = value, .ends = std::pair(low, high)}};
}

std::string PartOfImages::text() const {
  return fmt::format("over {} of {} images", images, all);
}

std::vector<std::vector<TableRank>> ranks(const Table& table) {
  check_shape(table);
  std::vector<std::vector<TableRank>> all(
      table.rows.size(), std::vector<TableRank>(table.columns.size(), TableRank::kNone));
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    if (column.better == Better::kNone) continue;
    const double sign = column.better == Better::kHigher ? -1.0 : 1.0;
    std::vector<std::pair<size_t, double>> competing;  // row, cost: lower is better
    std::vector<double> costs;
    for (size_t r = 0; r < table.rows.size(); ++r) {
      const auto* number = std::get_if<TableNumber>(&table.rows[r].cells[c].content);
      if (number == nullptr || table.rows[r].reference) continue;
      competing.emplace_back(r, sign * rounded(*number, column));
      costs.push_back(competing.back().second);
    }
    std::sort(costs.begin(), costs.end());
    costs.erase(std::unique(costs.begin(), costs.end()), costs.end());
    if (costs.size() < 2) continue;
    for (const auto& [row, cost] : competing) {
      if (cost == costs[0]) all[row][c] = TableRank::kBest;
      if (cost == costs[1]) all[row][c] = TableRank::kSecond;
    }
  }
  return all;
}

std::string footnote_of(const TableCell& cell) {
  if (const auto* missing = std::get_if<TableMissing>(&cell.content)) return missing->reason;
  const auto* number = std::get_if<TableNumber>(&cell.content);
  return number != nullptr && number->part ? number->part->text() : "";
}

std::vector<std::string> footnotes(const Table& table) {
  std::vector<std::string> notes;
  for (const TableRow& row : table.rows) {
    for (const TableCell& cell : row.cells) {
      std::string note = footnote_of(cell);
      if (note.empty() || std::ranges::find(notes, note) != notes.end()) continue;
      notes.push_back(std::move(note));
    }
  }
  return notes;
}

Table by_importance(const Table& table) {
  std::vector<size_t> order(table.columns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t c) { return table.columns[c].importance; });
  const auto reorder = [&](auto& items) {
    const auto before = items;
    for (size_t c = 0; c < order.size(); ++c) items[c] = before[order[c]];
  };
  Table ordered = table;
  reorder(ordered.columns);
  for (TableRow& row : ordered.rows) reorder(row.cells);
  return ordered;
}

Table without_csv_columns(const Table& table) {
  Table shown = table;
  for (size_t c = shown.columns.size(); c-- > 0;) {
    if (shown.columns[c].importance != Importance::kCsvAlone) continue;
    const auto at = static_cast<std::ptrdiff_t>(c);
    shown.columns.erase(shown.columns.begin() + at);
    for (TableRow& row : shown.rows) row.cells.erase(row.cells.begin() + at);
  }
  return shown;
}

int64_t footnote_number(const std::vector<std::string>& notes, const TableCell& cell) {
  const std::string note = footnote_of(cell);
  return note.empty() ? 0 : std::ranges::find(notes, note) - notes.begin() + 1;
}

std::string shown_value(const TableNumber& number, const TableColumn& column) {
  return shown(number.value, decimals_of(number, column));
}

std::string shown_half_width(const TableNumber& number, const TableColumn& column) {
  return number.has_interval() ? shown(number.half_width, decimals_of(number, column)) : "";
}

std::string shown_ends(const TableNumber& number, const TableColumn& column) {
  if (!number.ends) return "";
  const int decimals = decimals_of(number, column);
  return fmt::format("[{}, {}]", shown(number.ends->first, decimals),
                     shown(number.ends->second, decimals));
}

ShownIntervals shown_intervals(const Table& table) {
  ShownIntervals intervals;
  for (const TableRow& row : table.rows) {
    for (const TableCell& cell : row.cells) {
      const auto* number = std::get_if<TableNumber>(&cell.content);
      if (number == nullptr) continue;
      intervals.half_widths = intervals.half_widths || number->has_interval();
      intervals.ends = intervals.ends || number->ends;
    }
  }
  return intervals;
}

std::string header_with_unit(const TableColumn& column) {
  return column.unit.empty() ? column.header : column.header + " (" + column.unit + ")";
}

}  // namespace kvscope
