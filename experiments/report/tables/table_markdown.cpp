// GitHub-flavoured Markdown. Cells are padded so that the source reads as a table too.
#include <fmt/format.h>

#include <algorithm>

#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      if (std::string_view("\\|*_`[]~$#").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string marked(const std::string& text, TableRank rank) {
  switch (rank) {
    case TableRank::kBest:
      return "**" + text + "**";
    case TableRank::kSecond:
      return "<u>" + text + "</u>";
    case TableRank::kNone:
      break;
  }
  return text;
}

std::string note_mark(const std::vector<std::string>& notes, const TableCell& cell) {
  return fmt::format("<sup>{}</sup>", footnote_number(notes, cell));
}

std::string shown(const TableCell& cell,
                  const TableColumn& column,
                  TableRank rank,
                  const std::vector<std::string>& notes) {
  if (const auto* text = std::get_if<std::string>(&cell.content)) return escaped(*text);
  if (const auto* number = std::get_if<TableNumber>(&cell.content)) {
    std::string value = marked(shown_value(*number, column), rank);
    if (number->ends) value += " " + shown_ends(*number, column);
    if (number->has_interval()) value += " ± " + shown_half_width(*number, column);
    return number->part ? value + " " + note_mark(notes, cell) : value;
  }
  return "—" + note_mark(notes, cell);
}

std::string padded(const std::string& text, int64_t width, Align align) {
  const int64_t spare = width - display_width(text);
  const int64_t left = align == Align::kLeft ? 0 : align == Align::kRight ? spare : spare / 2;
  return std::string(static_cast<size_t>(left), ' ') + text +
         std::string(static_cast<size_t>(spare - left), ' ');
}

std::string separator(int64_t width, Align align) {
  std::string line(static_cast<size_t>(width), '-');
  if (align != Align::kLeft) line.back() = ':';
  if (align == Align::kCentre) line.front() = ':';
  return line;
}

}  // namespace

std::string markdown_table(const Table& whole) {
  const Table table = without_csv_columns(whole);
  const std::vector<std::vector<TableRank>> rank = ranks(table);
  const std::vector<std::string> notes = footnotes(table);
  const size_t columns = table.columns.size();
  std::vector<std::vector<std::string>> lines(table.rows.size() + 1,
                                              std::vector<std::string>(columns));
  std::vector<int64_t> widths(columns, 3);
  const ShownIntervals intervals = shown_intervals(table);
  for (size_t c = 0; c < columns; ++c) {
    lines[0][c] = escaped(header_with_unit(table.columns[c]));
    for (size_t r = 0; r < table.rows.size(); ++r) {
      const TableCell& cell = table.rows[r].cells[c];
      lines[r + 1][c] = shown(cell, table.columns[c], rank[r][c], notes);
    }
    for (const auto& line : lines) widths[c] = std::max(widths[c], display_width(line[c]));
  }

  std::string out;
  if (!table.title.empty()) out += "**" + escaped(table.title) + "**\n\n";
  for (size_t r = 0; r < lines.size(); ++r) {
    for (size_t c = 0; c < columns; ++c) {
      out += "| " + padded(lines[r][c], widths[c], table.columns[c].align) + " ";
    }
    out += "|\n";
    if (r > 0) continue;
    for (size_t c = 0; c < columns; ++c) {
      out += "| " + separator(widths[c], table.columns[c].align) + " ";
    }
    out += "|\n";
  }
  const bool any_interval = intervals.half_widths || intervals.ends;
  if (!notes.empty() || any_interval) out += "\n";
  for (size_t i = 0; i < notes.size(); ++i) {
    out += "<sup>" + std::to_string(i + 1) + "</sup> " + escaped(notes[i]) + "  \n";
  }
  if (intervals.half_widths) out += "± " + escaped(table.interval_name) + "\n";
  if (intervals.half_widths && intervals.ends) out += "\n";
  if (intervals.ends) out += "[ , ] " + escaped(table.ends_name) + "\n";
  for (const std::string& note : table.notes) out += "\n" + escaped(note) + "\n";
  if (!table.provenance.empty()) {
    out += "\n<!-- points:";
    for (const std::string& point : table.provenance) out += " " + escaped(point);
    out += " -->\n";
  }
  return out;
}

}  // namespace kvscope
