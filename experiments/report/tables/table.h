#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kvscope {

enum class Better { kNone, kHigher, kLower };
enum class Align { kLeft, kCentre, kRight };

/// What a narrow terminal leaves out first: the last of these, from the right.
enum class Importance : uint8_t {
  kRow,          ///< says which row it is; never left out
  kHeadline,     ///< what people look for: memory, speed, quality
  kDetail,       ///< what explains it
  kBookkeeping,  ///< what a reader of the file wants
  kCsvAlone,     ///< too long to read in a table: in CSV and nowhere else
};

/// One column. `decimals` is how many digits after the point its numbers show (CSV always has all).
struct TableColumn {
  std::string header{};
  std::string unit{};  // empty: none
  Align align = Align::kRight;
  Better better = Better::kNone;
  int decimals = 2;
  Importance importance = Importance::kHeadline;
  std::string help{};        ///< what the header means, where it does not say so; empty: nothing
  bool always_ends = false;  ///< in CSV, both ends of an interval, even where no number has one
};

/// How many images a number is over, where that is not all of them.
struct PartOfImages {
  int64_t images = 0;
  int64_t all = 0;
  /// "over 2 of 4 images".
  [[nodiscard]] std::string text() const;
  bool operator==(const PartOfImages&) const = default;
};

/// A measured value; `half_width` is half of its confidence interval where that is symmetric,
/// negative otherwise; `ends` are those of one that is not. Infinity is a value (a signal without
/// noise); NaN is not, see TableCell::number.
struct TableNumber {
  double value = 0;
  double half_width = -1;
  int decimals = -1;  // negative: the column's
  std::optional<std::pair<double, double>> ends{};
  std::optional<PartOfImages> part{};  ///< none: it is over all of them, or over none
  [[nodiscard]] bool has_interval() const { return half_width >= 0; }
  bool operator==(const TableNumber&) const = default;
};

/// No run stands behind this cell; readers are told why.
struct TableMissing {
  std::string reason{};
  bool operator==(const TableMissing&) const = default;
};

struct TableCell {
  std::variant<std::string, TableNumber, TableMissing> content{};
  std::string point{};  ///< hash of the point that it comes from, where its row is not of one

  static TableCell text(std::string text) { return {.content = std::move(text)}; }
  /// NaN becomes a missing cell with the reason "not a number".
  static TableCell number(double value, double half_width = -1, int decimals = -1);
  /// With the interval from `low` to `high`: as half a width where the value is its middle, as ends
  /// otherwise; none where either is NaN.
  static TableCell between(double value, double low, double high);
  static TableCell missing(std::string reason) {
    return {.content = TableMissing{std::move(reason)}};
  }
  bool operator==(const TableCell&) const = default;
};

/// One line of a table. A reference row (the full cache) stands apart and does not compete for
/// best.
struct TableRow {
  std::vector<TableCell> cells{};  // one a column
  bool reference = false;
  std::string point{};  ///< hash of the point that all its cells come from; empty: of none, or many
};

/// What every text format prints. The first row of each run of reference / non-reference rows is
/// set off by a rule.
struct Table {
  std::string title{};
  std::vector<TableColumn> columns{};
  std::vector<TableRow> rows{};
  std::vector<std::string> provenance{};  // hashes of the points the numbers came from
  std::string interval_name = "95 % confidence half width";
  std::string ends_name = "95 % confidence interval";
  std::vector<std::string> notes{};  ///< lines below it, but for CSV: how its numbers came about
};

/// Place of a cell within its column.
enum class TableRank { kNone, kBest, kSecond };

/// [rows][columns]. Numbers that print alike share a rank; a column whose numbers all print alike
/// has no best; reference rows and columns with Better::kNone are never ranked. Errors: kConfig
/// when a row's cell count differs from the columns'.
std::vector<std::vector<TableRank>> ranks(const Table& table);

/// What a reader is told below the table of a cell: why it is missing, or that it is not over all
/// images. Empty: nothing.
std::string footnote_of(const TableCell& cell);

/// The footnotes of the cells, each once, in order of appearance: footnote i + 1.
std::vector<std::string> footnotes(const Table& table);

/// The same table with its columns by importance, otherwise in their order.
Table by_importance(const Table& table);

/// The same table without what CSV alone shows.
Table without_csv_columns(const Table& table);

/// Number of the cell's footnote, from 1; 0: it has none.
int64_t footnote_number(const std::vector<std::string>& notes, const TableCell& cell);

/// Digits as shown: "24.31", "∞", "-∞". Never "-0.00".
std::string shown_value(const TableNumber& number, const TableColumn& column);

/// Digits of the half width with the value's decimals; empty when there is none.
std::string shown_half_width(const TableNumber& number, const TableColumn& column);

/// "[0.04, 0.31]" with the value's decimals; empty where there are no ends.
std::string shown_ends(const TableNumber& number, const TableColumn& column);

/// Which kinds of intervals a table has: what its notes explain.
struct ShownIntervals {
  bool half_widths = false;
  bool ends = false;
};
ShownIntervals shown_intervals(const Table& table);

/// "KV peak (MiB)"; the header alone without a unit.
std::string header_with_unit(const TableColumn& column);

/// What the place of a table can show.
struct ConsoleStyle {
  bool ansi = false;    ///< bold for best, underline for second, dim for reference rows
  int64_t columns = 0;  ///< of a terminal; 0: any number
};

/// Aligned text for a terminal: Unicode-safe widths, decimal points in one line, missing = em dash
/// with a footnote. Where the table is wider than style.columns, columns are left out, the least
/// important first, and named below.
std::string console_table(const Table& table, const ConsoleStyle& style = {});

/// RFC 4180 (CRLF, quotes doubled): a header with units, every number in its shortest exact form,
/// the half width, or both ends, as columns of their own where a column has them, missing = empty
/// with the reasons in a column "missing", and a last column says of what numbers are not over all
/// images.
std::string csv_table(const Table& table);

/// GitHub Markdown: best bold, second underlined, missing = em dash with a footnote.
std::string markdown_table(const Table& table);

/// LaTeX with booktabs: a table float; needs \usepackage{booktabs} and nothing else. Provenance as
/// comment lines.
std::string latex_table(const Table& table);

/// <table> with classes best, second, reference, missing and raw values in data-value for sorting.
std::string html_table(const Table& table);

/// LaTeX's special characters made ordinary; common non-ASCII signs as commands.
std::string escape_latex(std::string_view text);

}  // namespace kvscope
