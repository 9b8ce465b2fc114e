#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// A row of a CSV file and the line that it begins at.
struct CsvRow {
  int64_t line = 0;
  std::vector<std::string> cells{};
};

/// A CSV file with a header (RFC 4180: quotes doubled, line breaks inside quotes), of `separator`.
class CsvTable {
 public:
  /// Throws Error(kInput) "origin:line: ..." for a quote that does not end, a row of another number
  /// of cells than the header, or no header.
  CsvTable(std::string_view text, std::string origin, char separator = ',');

  [[nodiscard]] const std::vector<CsvRow>& rows() const { return rows_; }
  [[nodiscard]] bool has(const std::string& column) const;
  /// Throws Error(kInput) naming the columns that there are.
  [[nodiscard]] size_t column(const std::string& name) const;
  [[nodiscard]] const std::string& cell(const CsvRow& row, const std::string& column_name) const {
    return row.cells[column(column_name)];
  }
  [[nodiscard]] const std::string& origin() const { return origin_; }

 private:
  std::string origin_;
  std::vector<std::string> header_;
  std::vector<CsvRow> rows_;
};

}  // namespace kvscope
