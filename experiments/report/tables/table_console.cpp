// Tables for a terminal. A numeric cell is three parts, each with its own width: digits before the
// point, digits from the point on, and the interval; so points line up whatever the decimals.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

struct Parts {
  std::string whole;     // also all of a text cell or a dash
  std::string fraction;  // ".31"
  std::string interval;  // "0.42", or "[0.04, 0.31]"
  std::string mark;      // " ²": the footnote of a number
  bool is_text = false;
  TableRank rank = TableRank::kNone;
};

struct Widths {
  int64_t whole = 0;
  int64_t fraction = 0;
  int64_t interval = 0;
  int64_t mark = 0;
  int64_t half_width_digits = 0;
  int64_t total = 0;
};

std::string pad(const std::string& text, int64_t width, Align align) {
  const int64_t missing = std::max<int64_t>(0, width - display_width(text));
  const int64_t left = align == Align::kLeft ? 0 : align == Align::kRight ? missing : missing / 2;
  return std::string(static_cast<size_t>(left), ' ') + text +
         std::string(static_cast<size_t>(missing - left), ' ');
}

Parts split(const TableCell& cell,
            const TableColumn& column,
            const std::vector<std::string>& notes) {
  Parts parts;
  if (const auto* text = std::get_if<std::string>(&cell.content)) {
    parts.whole = printable(*text);
    parts.is_text = true;
  } else if (const auto* number = std::get_if<TableNumber>(&cell.content)) {
    const std::string digits = shown_value(*number, column);
    const size_t point = std::min(digits.find('.'), digits.size());
    parts.whole = digits.substr(0, point);
    parts.fraction = digits.substr(point);
    parts.interval = number->ends ? shown_ends(*number, column) : shown_half_width(*number, column);
    // Apart from the digits, which it would be a power of.
    if (number->part) parts.mark = " " + superscript(footnote_number(notes, cell));
  } else {
    parts.whole = "—" + superscript(footnote_number(notes, cell));
  }
  return parts;
}

std::string painted(const std::string& text, TableRank rank, bool ansi) {
  if (!ansi || rank == TableRank::kNone) return text;
  return (rank == TableRank::kBest ? "\x1b[1m" : "\x1b[4m") + text + "\x1b[0m";
}

std::string assemble(const Parts& parts, const Widths& widths, Align align, bool ansi) {
  if (parts.is_text) return pad(painted(parts.whole, parts.rank, false), widths.total, align);
  const std::string value = parts.whole + parts.fraction;
  const int64_t before = widths.whole - display_width(parts.whole);
  int64_t after = widths.fraction - display_width(parts.fraction);
  std::string interval;
  if (!parts.interval.empty()) {
    const bool has_ends = parts.interval.front() == '[';
    const std::string text =
        has_ends ? " " + parts.interval
                 : " ± " + pad(parts.interval, widths.half_width_digits, Align::kRight);
    interval =
        std::string(static_cast<size_t>(after), ' ') + pad(text, widths.interval, Align::kRight);
    after = 0;
  } else {
    after += widths.interval;
  }
  const std::string body =
      std::string(static_cast<size_t>(before), ' ') + painted(value, parts.rank, ansi) + interval +
      std::string(static_cast<size_t>(after), ' ') + pad(parts.mark, widths.mark, Align::kLeft);
  // Painting adds bytes without width, so the outer padding is computed from the parts.
  const int64_t body_width = widths.whole + widths.fraction + widths.interval + widths.mark;
  const int64_t missing = widths.total - body_width;
  const int64_t left = align == Align::kLeft ? 0 : align == Align::kRight ? missing : missing / 2;
  return std::string(static_cast<size_t>(left), ' ') + body +
         std::string(static_cast<size_t>(missing - left), ' ');
}

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string rule(const std::vector<Widths>& widths) {
  std::string line;
  for (size_t c = 0; c < widths.size(); ++c) {
    if (c > 0) line += "  ";
    for (int64_t i = 0; i < widths[c].total; ++i) line += "─";
  }
  return line + "\n";
}

/// A table taken apart for printing.
struct Layout {
  std::vector<std::vector<Parts>> body{};  // [rows][columns]
  std::vector<Widths> widths{};            // [columns]
  std::vector<std::string> notes{};

  [[nodiscard]] int64_t width() const {
    int64_t sum = 2 * std::max<int64_t>(0, std::ssize(widths) - 1);
    for (const Widths& column : widths) sum += column.total;
    return sum;
  }
};

Layout layout_of(const Table& table) {
  const std::vector<std::vector<TableRank>> rank = ranks(table);
  Layout layout{.body = std::vector<std::vector<Parts>>(table.rows.size()),
                .widths = std::vector<Widths>(table.columns.size()),
                .notes = footnotes(table)};
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    Widths& width = layout.widths[c];
    int64_t text_width = 0;
    for (size_t r = 0; r < table.rows.size(); ++r) {
      Parts parts = split(table.rows[r].cells[c], column, layout.notes);
      parts.rank = rank[r][c];
      if (parts.is_text) {
        text_width = std::max(text_width, display_width(parts.whole));
      } else {
        width.whole = std::max(width.whole, display_width(parts.whole));
        width.fraction = std::max(width.fraction, display_width(parts.fraction));
        const bool has_ends = parts.interval.starts_with('[');
        const int64_t digits = display_width(parts.interval);
        if (digits > 0) width.interval = std::max(width.interval, digits + (has_ends ? 1 : 3));
        width.mark = std::max(width.mark, display_width(parts.mark));
        if (!has_ends) width.half_width_digits = std::max(width.half_width_digits, digits);
      }
      layout.body[r].push_back(std::move(parts));
    }
    width.total =
        std::max({text_width, width.whole + width.fraction + width.interval + width.mark,
                  display_width(printable(column.header)), display_width(printable(column.unit))});
  }
  return layout;
}

/// The column that goes first where not all fit; none where all say which row it is, or it is the
/// last that says anything else.
std::optional<size_t> least_important(const Table& table) {
  std::optional<size_t> found;
  int64_t others = 0;
  for (size_t c = 1; c < table.columns.size(); ++c) {
    const Importance importance = table.columns[c].importance;
    if (importance == Importance::kRow) continue;
    ++others;
    if (!found || importance >= table.columns[*found].importance) found = c;
  }
  return others > 1 ? found : std::nullopt;
}

void remove_column(Table& table, size_t column) {
  const auto at = static_cast<std::ptrdiff_t>(column);
  table.columns.erase(table.columns.begin() + at);
  for (TableRow& row : table.rows) row.cells.erase(row.cells.begin() + at);
}

/// The table as wide as it may be, and the headers of the columns that it lost for that.
std::pair<Table, std::vector<std::string>> narrowed(Table table, int64_t columns) {
  std::vector<std::string> left_out;
  while (columns > 0 && layout_of(table).width() > columns) {
    const std::optional<size_t> column = least_important(table);
    if (!column) break;
    left_out.insert(left_out.begin(), table.columns[*column].header);
    remove_column(table, *column);
  }
  return {std::move(table), std::move(left_out)};
}

}  // namespace

std::string console_table(const Table& whole, const ConsoleStyle& style) {
  const auto [table, left_out] = narrowed(without_csv_columns(whole), style.columns);
  const Layout layout = layout_of(table);
  const std::vector<Widths>& widths = layout.widths;
  const size_t columns = table.columns.size();

  std::string out;
  if (!table.title.empty()) out += printable(table.title) + "\n\n";
  const auto header_line = [&](auto text_of) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string text = printable(text_of(table.columns[c]));
      line += (c > 0 ? "  " : "") + pad(text, widths[c].total, table.columns[c].align);
    }
    return without_trailing_spaces(line) + "\n";
  };
  out += header_line([](const TableColumn& column) { return column.header; });
  const auto has_unit = [](const TableColumn& column) { return !column.unit.empty(); };
  if (std::ranges::any_of(table.columns, has_unit)) {
    out += header_line([](const TableColumn& column) { return column.unit; });
  }
  out += rule(widths);
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (r > 0 && table.rows[r].reference != table.rows[r - 1].reference) out += rule(widths);
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      line += (c > 0 ? "  " : "") +
              assemble(layout.body[r][c], widths[c], table.columns[c].align, style.ansi);
    }
    line = without_trailing_spaces(line);
    const bool dim = style.ansi && table.rows[r].reference;
    out += (dim ? "\x1b[2m" + line + "\x1b[0m" : line) + "\n";
  }
  const std::vector<std::string>& notes = layout.notes;
  const auto has_help = [](const TableColumn& column) { return !column.help.empty(); };
  const bool any_help = std::ranges::any_of(table.columns, has_help);
  const ShownIntervals intervals = shown_intervals(table);
  const bool any_interval = intervals.half_widths || intervals.ends;
  const bool any_line = any_interval || !left_out.empty() || any_help || !table.notes.empty();
  if (!notes.empty() || any_line) out += "\n";
  for (size_t i = 0; i < notes.size(); ++i) {
    out += superscript(static_cast<int64_t>(i) + 1) + " " + printable(notes[i]) + "\n";
  }
  if (intervals.half_widths) out += "± " + printable(table.interval_name) + "\n";
  if (intervals.ends) out += "[ , ] " + printable(table.ends_name) + "\n";
  for (const TableColumn& column : table.columns) {
    if (!column.help.empty()) out += printable(column.header + ": " + column.help) + "\n";
  }
  for (const std::string& note : table.notes) out += printable(note) + "\n";
  if (!left_out.empty()) {
    out += fmt::format("not shown in {} columns: {}\n", style.columns,
                       printable(fmt::format("{}", fmt::join(left_out, ", "))));
  }
  return out;
}

}  // namespace kvscope
