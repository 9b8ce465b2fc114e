// HTML for the report page; the page's style sheet gives the classes their look.
#include <fmt/format.h>

#include <cmath>

#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

const char* align_class(Align align) {
  return align == Align::kLeft ? "left" : align == Align::kRight ? "right" : "centre";
}

std::string point_attribute(const std::string& point) {
  return point.empty() ? "" : fmt::format(" data-point=\"{}\"", escape_xml(point));
}

std::string cell_html(const TableCell& cell,
                      const TableColumn& column,
                      TableRank rank,
                      const std::vector<std::string>& notes) {
  const std::string align = align_class(column.align);
  const std::string point = point_attribute(cell.point);
  if (const auto* text = std::get_if<std::string>(&cell.content)) {
    return fmt::format("<td class=\"{}\"{}>{}</td>", align, point, escape_xml(*text));
  }
  if (const auto* number = std::get_if<TableNumber>(&cell.content)) {
    const char* rank_class = rank == TableRank::kBest     ? " best"
                             : rank == TableRank::kSecond ? " second"
                                                          : "";
    std::string interval;
    if (number->has_interval()) {
      interval = fmt::format(" <small>± {}</small>", shown_half_width(*number, column));
    } else if (number->ends) {
      interval = fmt::format(" <small>{}</small>", shown_ends(*number, column));
    }
    std::string title;
    if (number->part) {
      title = fmt::format(" title=\"{}\"", escape_xml(footnote_of(cell)));
      interval += fmt::format(" <sup>{}</sup>", footnote_number(notes, cell));
    }
    const double value = number->value;
    const std::string raw =
        std::isinf(value) ? (value > 0 ? "Infinity" : "-Infinity") : fmt::format("{}", value);
    return fmt::format("<td class=\"{}{}\" data-value=\"{}\"{}{}><span>{}</span>{}</td>", align,
                       rank_class, raw, title, point, shown_value(*number, column), interval);
  }
  return fmt::format("<td class=\"{} missing\" title=\"{}\"{}>—<sup>{}</sup></td>", align,
                     escape_xml(footnote_of(cell)), point, footnote_number(notes, cell));
}

const char* arrow(Better better) {
  return better == Better::kHigher ? " ↑" : better == Better::kLower ? " ↓" : "";
}

}  // namespace

std::string html_table(const Table& whole) {
  const Table table = without_csv_columns(whole);
  const std::vector<std::vector<TableRank>> rank = ranks(table);
  const std::vector<std::string> notes = footnotes(table);
  const ShownIntervals intervals = shown_intervals(table);
  bool of_points = false;  // rows name theirs
  std::string out = "<figure class=\"table\">\n<div class=\"scroll\"><table>\n";
  if (!table.title.empty()) out += "<caption>" + escape_xml(table.title) + "</caption>\n";
  out += "<thead><tr>";
  for (const TableColumn& column : table.columns) {
    const std::string unit =
        column.unit.empty() ? "" : "<br><small>" + escape_xml(column.unit) + "</small>";
    const std::string help =
        column.help.empty() ? "" : fmt::format(" title=\"{}\"", escape_xml(column.help));
    // A script offers the values of such columns as filters.
    const char* names = column.importance == Importance::kRow ? " data-names" : "";
    out += fmt::format("<th scope=\"col\" class=\"{}\"{}{}>{}{}{}</th>", align_class(column.align),
                       names, help, escape_xml(column.header), arrow(column.better), unit);
  }
  out += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const TableRow& row = table.rows[r];
    of_points = of_points || !row.point.empty();
    out += fmt::format("<tr{}{}>", row.reference ? " class=\"reference\"" : "",
                       point_attribute(row.point));
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const TableCell& cell = row.cells[c];
      out += cell_html(cell, table.columns[c], rank[r][c], notes);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n<figcaption>";
  for (size_t i = 0; i < notes.size(); ++i) {
    out += fmt::format("<div><sup>{}</sup> {}</div>", i + 1, escape_xml(notes[i]));
  }
  if (intervals.half_widths) out += "<div>± " + escape_xml(table.interval_name) + "</div>";
  if (intervals.ends) out += "<div>[ , ] " + escape_xml(table.ends_name) + "</div>";
  for (const std::string& note : table.notes) out += "<div>" + escape_xml(note) + "</div>";
  if (!of_points && !table.provenance.empty()) {
    out += "<div class=\"points\">points";
    for (const std::string& point : table.provenance)
      out += " <code>" + escape_xml(point) + "</code>";
    out += "</div>";
  }
  return out + "</figcaption>\n</figure>\n";
}

}  // namespace kvscope
