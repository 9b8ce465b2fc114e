// LaTeX with booktabs: the output goes into a paper as it is.
#include <algorithm>
#include <map>

#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

const std::map<char32_t, std::string>& latex_commands() {
  static const std::map<char32_t, std::string> commands{{'\\', "\\textbackslash{}"},
                                                        {'{', "\\{"},
                                                        {'}', "\\}"},
                                                        {'$', "\\$"},
                                                        {'&', "\\&"},
                                                        {'#', "\\#"},
                                                        {'%', "\\%"},
                                                        {'_', "\\_"},
                                                        {'~', "\\textasciitilde{}"},
                                                        {'^', "\\textasciicircum{}"},
                                                        {'<', "\\textless{}"},
                                                        {'>', "\\textgreater{}"},
                                                        {'|', "\\textbar{}"},
                                                        {'"', "{''}"},
                                                        {U'—', "---"},
                                                        {U'–', "--"},
                                                        {U'±', "$\\pm$"},
                                                        {U'×', "$\\times$"},
                                                        {U'∞', "$\\infty$"},
                                                        {U'µ', "$\\mu$"},
                                                        {U'μ', "$\\mu$"},
                                                        {U'≤', "$\\leq$"},
                                                        {U'≥', "$\\geq$"},
                                                        {U'→', "$\\rightarrow$"},
                                                        {U'…', "\\ldots{}"},
                                                        {U'²', "$^2$"},
                                                        {U'\u00A0', "~"},
                                                        {U'\uFFFD', "?"}};
  return commands;
}

std::string digits_in_latex(std::string digits) {
  const size_t infinity = digits.find("∞");
  if (infinity != std::string::npos) return digits[0] == '-' ? "$-\\infty$" : "$\\infty$";
  return digits[0] == '-' ? "$-$" + digits.substr(1) : digits;  // a hyphen is no minus sign
}

std::string marked(const std::string& text, TableRank rank) {
  if (rank == TableRank::kBest) return "\\textbf{" + text + "}";
  if (rank == TableRank::kSecond) return "\\underline{" + text + "}";
  return text;
}

std::string note_mark(int64_t note) {
  return "\\textsuperscript{" + std::to_string(note) + "}";
}

std::string shown(const TableCell& cell,
                  const TableColumn& column,
                  TableRank rank,
                  const std::vector<std::string>& notes) {
  if (const auto* text = std::get_if<std::string>(&cell.content)) return escape_latex(*text);
  if (const auto* number = std::get_if<TableNumber>(&cell.content)) {
    std::string value = marked(digits_in_latex(shown_value(*number, column)), rank);
    if (number->ends) value += " " + digits_in_latex(shown_ends(*number, column));
    if (number->has_interval()) {
      value += " $\\pm$ " + digits_in_latex(shown_half_width(*number, column));
    }
    return number->part ? value + " " + note_mark(footnote_number(notes, cell)) : value;
  }
  return "---" + note_mark(footnote_number(notes, cell));
}

std::string arrow(Better better) {
  if (better == Better::kHigher) return " $\\uparrow$";
  if (better == Better::kLower) return " $\\downarrow$";
  return "";
}

std::string alignment(const std::vector<TableColumn>& columns) {
  std::string letters;
  for (const TableColumn& column : columns) {
    letters += column.align == Align::kLeft ? 'l' : column.align == Align::kRight ? 'r' : 'c';
  }
  return letters;
}

}  // namespace

std::string escape_latex(std::string_view text) {
  std::string out;
  for (const char32_t c : decode_utf8(printable(text))) {
    const auto command = latex_commands().find(c);
    out += command == latex_commands().end() ? encode_utf8(c) : command->second;
  }
  return out;
}

std::string latex_table(const Table& whole) {
  const Table table = without_csv_columns(whole);
  const std::vector<std::vector<TableRank>> rank = ranks(table);
  const std::vector<std::string> notes = footnotes(table);
  const ShownIntervals intervals = shown_intervals(table);

  std::string out = "% needs \\usepackage{booktabs}\n";
  for (const std::string& point : table.provenance) out += "% point " + printable(point) + "\n";
  out += "\\begin{table}[t]\n  \\centering\n";
  if (!table.title.empty()) out += "  \\caption{" + escape_latex(table.title) + "}\n";
  out += "  \\begin{tabular}{" + alignment(table.columns) + "}\n    \\toprule\n";
  const auto add_line = [&](const std::vector<std::string>& cells) {
    out += "    ";
    for (size_t c = 0; c < cells.size(); ++c) {
      // A line that begins with "[" or "*" after a row's \\ would be read as its option.
      const bool guard = c == 0 && !cells[c].empty() && (cells[c][0] == '[' || cells[c][0] == '*');
      out += (c == 0 ? "" : " & ") + (guard ? "{}" + cells[c] : cells[c]);
    }
    out += " \\\\\n";
  };
  std::vector<std::string> cells;
  for (const TableColumn& column : table.columns) {
    cells.push_back(escape_latex(header_with_unit(column)) + arrow(column.better));
  }
  add_line(cells);
  out += "    \\midrule\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (r > 0 && table.rows[r].reference != table.rows[r - 1].reference) out += "    \\midrule\n";
    cells.clear();
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const TableCell& cell = table.rows[r].cells[c];
      cells.push_back(shown(cell, table.columns[c], rank[r][c], notes));
    }
    add_line(cells);
  }
  out += "    \\bottomrule\n  \\end{tabular}\n";
  std::vector<std::string> below;
  for (size_t i = 0; i < notes.size(); ++i) {
    below.push_back(note_mark(static_cast<int64_t>(i) + 1) + " " + escape_latex(notes[i]));
  }
  if (intervals.half_widths) below.push_back("$\\pm$ " + escape_latex(table.interval_name));
  if (intervals.ends) below.push_back("[ , ] " + escape_latex(table.ends_name));
  for (const std::string& note : table.notes) below.push_back(escape_latex(note));
  if (!below.empty()) out += "\n  \\smallskip\n  {\\footnotesize ";
  for (size_t i = 0; i < below.size(); ++i) out += (i == 0 ? "" : "; ") + below[i];
  if (!below.empty()) out += "}\n";
  return out + "\\end{table}\n";
}

}  // namespace kvscope
