#include "experiments/commands/table_json.h"

#include <utility>
#include <variant>

#include "experiments/commands/json_output.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

ordered_json better_json(Better better) {
  if (better == Better::kNone) return {};
  return better == Better::kHigher ? "higher" : "lower";
}

/// Infinity is a value that JSON has no number for.
ordered_json value_json(double value) {
  const ordered_json number = number_or_null(value);
  if (!number.is_null()) return number;
  return value > 0 ? "Infinity" : value < 0 ? "-Infinity" : ordered_json();
}

ordered_json cell_json(const TableCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell.content)) return *text;
  if (const auto* missing = std::get_if<TableMissing>(&cell.content)) {
    return {{"missing", missing->reason}};
  }
  const auto& number = std::get<TableNumber>(cell.content);
  if (!number.ends && !number.has_interval() && !number.part) return value_json(number.value);
  ordered_json fields = {{"value", value_json(number.value)}};
  if (number.ends) {
    fields["low"] = value_json(number.ends->first);
    fields["high"] = value_json(number.ends->second);
  } else if (number.has_interval()) {
    fields["low"] = value_json(number.value - number.half_width);
    fields["high"] = value_json(number.value + number.half_width);
  }
  if (number.part) {
    fields["images"] = number.part->images;
    fields["of_images"] = number.part->all;
  }
  return fields;
}

}  // namespace

ordered_json table_json(const Table& table) {
  ordered_json columns = ordered_json::array();
  for (const TableColumn& column : table.columns) {
    columns.push_back({{"name", column.header},
                       {"unit", column.unit.empty() ? ordered_json() : ordered_json(column.unit)},
                       {"better", better_json(column.better)}});
  }
  const bool is_of_points = table.provenance.size() == table.rows.size();
  ordered_json rows = ordered_json::array();
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const TableRow& row = table.rows[i];
    ordered_json cells = ordered_json::object();
    for (size_t at = 0; at < row.cells.size(); ++at) {
      cells[table.columns.at(at).header] = cell_json(row.cells[at]);
    }
    ordered_json one{{"reference", row.reference}};
    if (is_of_points) one["point"] = table.provenance[i];
    one["cells"] = std::move(cells);
    rows.push_back(std::move(one));
  }
  return {{"title", table.title},
          {"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"provenance", table.provenance}};
}

}  // namespace kvscope
