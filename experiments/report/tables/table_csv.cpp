// CSV as RFC 4180 has it, for notebooks: everything a number has, nothing rounded.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/report/tables/table.h"

namespace kvscope {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

std::string exact(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

/// How a column's intervals are written: as half widths, or, where one has ends, as those.
enum class IntervalFields { kNone, kHalfWidth, kEnds };

IntervalFields interval_fields(const Table& table, size_t column) {
  if (table.columns[column].always_ends) return IntervalFields::kEnds;
  IntervalFields fields = IntervalFields::kNone;
  for (const TableRow& row : table.rows) {
    const auto* number = std::get_if<TableNumber>(&row.cells[column].content);
    if (number == nullptr) continue;
    if (number->ends) return IntervalFields::kEnds;
    if (number->has_interval()) fields = IntervalFields::kHalfWidth;
  }
  return fields;
}

/// What the footnotes of a row say, each with the column that it is of.
class RowNotes {
 public:
  void add(const TableColumn& column, const std::string& note) {
    text_ += (text_.empty() ? "" : "; ") + column.header + ": " + note;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Ends of whatever interval a number has.
std::pair<std::string, std::string> exact_ends(const TableNumber& number) {
  if (number.ends) return {exact(number.ends->first), exact(number.ends->second)};
  if (!number.has_interval()) return {};
  return {exact(number.value - number.half_width), exact(number.value + number.half_width)};
}

std::string joined(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) line += (i == 0 ? "" : ",") + quoted(fields[i]);
  return line + "\r\n";
}

}  // namespace

std::string csv_table(const Table& table) {
  (void)ranks(table);  // checks the shape
  // A table whose columns are always the same has these two as well.
  bool any_missing = std::ranges::any_of(table.columns, &TableColumn::always_ends);
  bool any_part = any_missing;
  for (const TableRow& row : table.rows) {
    for (const TableCell& cell : row.cells) {
      const auto* number = std::get_if<TableNumber>(&cell.content);
      any_missing = any_missing || std::holds_alternative<TableMissing>(cell.content);
      any_part = any_part || (number != nullptr && number->part);
    }
  }
  std::vector<std::string> header;
  std::vector<IntervalFields> interval(table.columns.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    interval[c] = interval_fields(table, c);
    header.push_back(header_with_unit(column));
    const auto add = [&](const std::string& name) {
      header.push_back(
          header_with_unit({.header = column.header + " " + name, .unit = column.unit}));
    };
    if (interval[c] == IntervalFields::kHalfWidth) add(table.interval_name);
    if (interval[c] == IntervalFields::kEnds) {
      add(table.ends_name + " from");
      add(table.ends_name + " to");
    }
  }
  if (any_missing) header.emplace_back("missing");
  if (any_part) header.emplace_back("not over all images");

  std::string csv = joined(header);
  for (const TableRow& row : table.rows) {
    std::vector<std::string> fields;
    RowNotes reasons;
    RowNotes parts;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      std::string value;
      std::string half_width;
      std::pair<std::string, std::string> ends;
      if (const auto* text = std::get_if<std::string>(&row.cells[c].content)) {
        value = *text;
      } else if (const auto* number = std::get_if<TableNumber>(&row.cells[c].content)) {
        value = exact(number->value);
        if (number->has_interval()) half_width = exact(number->half_width);
        ends = exact_ends(*number);
        if (number->part) parts.add(table.columns[c], footnote_of(row.cells[c]));
      } else {
        reasons.add(table.columns[c], footnote_of(row.cells[c]));
      }
      fields.push_back(value);
      if (interval[c] == IntervalFields::kHalfWidth) fields.push_back(half_width);
      if (interval[c] == IntervalFields::kEnds)
        fields.insert(fields.end(), {ends.first, ends.second});
    }
    if (any_missing) fields.push_back(reasons.text());
    if (any_part) fields.push_back(parts.text());
    csv += joined(fields);
  }
  return csv;
}

}  // namespace kvscope
