#include "experiments/commands/attention/attention_show.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/first_images.h"
#include "core/base/atomic_file.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/hash.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/figures/heatmap.h"
#include "experiments/report/tables/array_view.h"
#include "experiments/report/tables/table.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMostCells = 1024;  // of a side, in a figure or where a side is named

std::string axes_text(const NamedArray& array) {
  std::vector<std::string> parts;
  for (const ArrayAxis& axis : array.axes) {
    parts.push_back(fmt::format("{} {}", axis.name, axis.size()));
  }
  return fmt::format("{}", fmt::join(parts, " x "));
}

std::string parameters_text(const NamedArray& array) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : array.parameters) {
    parts.push_back(fmt::format("{} {}", name, value));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_contents(const AttentionShowOptions& options, const AttentionRecord& record) {
  const int64_t tokens = record.steps.empty() ? 0 : record.keys(std::ssize(record.steps) - 1);
  fmt::print("{}: {}{}{}, {} layers x {} heads x {} steps, {} tokens{}\n", options.file.string(),
             record.model, record.model.empty() ? "" : ", ", record.images_text(), record.layers,
             record.heads, record.steps.size(), tokens,
             record.point_hash.empty() ? "" : ", point " + short_hash(record.point_hash));
  for (const auto& [name, array] : record.arrays) {
    const std::string parameters = parameters_text(array);
    const std::string lack = record.lack_of(array);
    fmt::print("{:<26} {}\n{:<26} {} [{}]{}{}{}{}{}\n", name, array.help, "", axes_text(array),
               array.unit, parameters.empty() ? "" : "; ", parameters, lack.empty() ? "" : "; ",
               lack, record.of_images.contains(name) ? "; also of every image" : "");
  }
}

ordered_json contents_json(const AttentionShowOptions& options, const AttentionRecord& record) {
  ordered_json arrays = ordered_json::array();
  for (const auto& [name, array] : record.arrays) {
    ordered_json axes = ordered_json::array();
    for (const ArrayAxis& axis : array.axes) {
      axes.push_back({{"name", axis.name}, {"size", axis.size()}});
    }
    ordered_json parameters = ordered_json::object();
    for (const auto& [key, value] : array.parameters) parameters[key] = value;
    arrays.push_back({{"name", name},
                      {"help", array.help},
                      {"unit", array.unit},
                      {"axes", std::move(axes)},
                      {"parameters", std::move(parameters)},
                      {"lacks", record.lack_of(array)},
                      {"of_every_image", record.of_images.contains(name)}});
  }
  return {{"file", options.file.string()},
          {"model", record.model},
          {"images", record.images},
          {"layers", record.layers},
          {"heads", record.heads},
          {"steps", record.steps.size()},
          {"point", record.point_hash.empty() ? ordered_json() : ordered_json(record.point_hash)},
          {"arrays", std::move(arrays)}};
}

/// Digits after the point that leave the largest value four significant ones.
int decimals_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  if (largest == 0) return 1;
  return std::clamp(3 - static_cast<int>(std::floor(std::log10(largest))), 0, 9);
}

std::string with_averaging(const std::string& text, const ArrayView& view) {
  return view.averaging.empty() ? text : fmt::format("{}, {}", text, view.averaging);
}

/// The array, or how it varies between images, or what it is of one; and which of them.
struct ShownArray {
  NamedArray array{};
  std::string images{};
};

ShownArray shown_array(const AttentionShowOptions& options, const AttentionRecord& record) {
  const std::string& of = options.of;
  if (of == "mean") return {record.part(options.name), record.images_text()};
  if (of == "deviation") {
    return {image_spread(record, options.name, ImageSpread::kDeviation),
            fmt::format("standard deviation between {} images", record.images)};
  }
  if (of == "interval") {
    return {image_spread(record, options.name, ImageSpread::kInterval),
            fmt::format("half of the 95 % interval of the mean of {} images", record.images)};
  }
  int64_t image = 0;
  const auto [end, error] = std::from_chars(of.data(), of.data() + of.size(), image);
  if (error != std::errc() || end != of.data() + of.size()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--of '{}': expected mean, deviation, interval, or the number of an "
                            "image, as 0",
                            of));
  }
  return {of_image(record, options.name, image), fmt::format("image {}", image)};
}

Table table_of(const AttentionShowOptions& options,
               const AttentionRecord& record,
               const ShownArray& shown,
               const ArrayView& view) {
  const NamedArray& array = shown.array;
  Table table;
  table.title =
      with_averaging(fmt::format("{} [{}]{}{}, {}", options.name, array.unit,
                                 record.model.empty() ? "" : " of ", record.model, shown.images),
                     view);
  const std::string corner =
      view.columns.empty() ? view.rows : fmt::format("{} \\ {}", view.rows, view.columns);
  table.columns.push_back({.header = corner, .decimals = 0});
  const int decimals = decimals_of(view.values);
  for (const int64_t value : view.column_values) {
    table.columns.push_back(
        {.header = view.columns.empty() ? options.name : fmt::format("{}", value),
         .decimals = decimals});
  }
  auto next = view.values.begin();
  for (const int64_t value : view.row_values) {
    TableRow row;
    row.cells.push_back(view.rows.empty() ? TableCell::text("all")
                                          : TableCell::number(static_cast<double>(value)));
    for (size_t column = 0; column < view.column_values.size(); ++column) {
      row.cells.push_back(std::isnan(*next) ? TableCell::missing("nothing there")
                                            : TableCell::number(*next));
      ++next;
    }
    table.rows.push_back(std::move(row));
  }
  table.provenance = record.provenance();
  return table;
}

Heatmap map_of(const AttentionShowOptions& options,
               const AttentionRecord& record,
               const ShownArray& shown,
               const ArrayView& view) {
  const NamedArray& array = shown.array;
  Heatmap map;
  map.title = with_averaging(options.name, view);
  map.subtitle =
      fmt::format("{}{}{}", record.model, record.model.empty() ? "" : ", ", shown.images);
  map.row_axis = view.rows;
  map.column_axis = view.columns;
  map.value_label = fmt::format("{} [{}]", options.name, array.unit);
  for (const int64_t value : view.row_values) map.row_labels.push_back(fmt::format("{}", value));
  for (const int64_t value : view.column_values) {
    map.column_labels.push_back(view.columns.empty() ? "" : fmt::format("{}", value));
  }
  map.values = view.values;
  map.provenance = record.provenance();
  return map;
}

void draw(const AttentionShowOptions& options, const Heatmap& map) {
  write_figure(draw_heatmap(map), options.out, heatmap_info(map));
}

/// Sides that are named have any length that a figure can show.
ArrayViewOptions view_options(const AttentionShowOptions& options, bool figure) {
  ArrayViewOptions view{.rows = options.rows, .columns = options.columns, .at = options.at};
  if (figure) view.most_rows = view.most_columns = kMostCells;
  return view;
}

}  // namespace

int attention_show_command(const AttentionShowOptions& options) {
  const bool has_figure = !options.out.empty();
  const bool is_csv = options.out.extension() == ".csv";
  if (has_figure && !is_csv) check_figure_path(options.out);
  const AttentionRecord record = read_attention(options.file);
  if (options.name.empty()) {
    if (has_figure || !options.at.empty() || !options.rows.empty() || !options.columns.empty() ||
        options.of != "mean") {
      throw Error(ErrorKind::kConfig,
                  fmt::format("which array? kvscope attention show {} NAME; without options the "
                              "command lists them",
                              options.file.string()));
    }
    if (options.json) {
      print_json(contents_json(options, record));
    } else {
      print_contents(options, record);
    }
    return 0;
  }
  const ShownArray shown = shown_array(options, record);
  const NamedArray& array = shown.array;
  const ArrayView view = array_view(array, view_options(options, false));
  const ArrayViewOptions usual;
  const bool is_long = std::ssize(view.row_values) > usual.most_rows ||
                       std::ssize(view.column_values) > usual.most_columns;
  if (has_figure && is_long) {
    say("{} x {} numbers are not printed; --out FILE.csv writes them", view.row_values.size(),
        view.column_values.size());
  } else {
    const Table table = table_of(options, record, shown, view);
    if (options.json) {
      print_json({{"table", table_json(table)}});
    } else {
      fmt::print("{}", console_table(table, console_style()));
    }
  }
  if (has_figure) {
    const ArrayView whole = array_view(array, view_options(options, true));
    if (is_csv) {
      write_file_atomically(options.out, csv_table(table_of(options, record, shown, whole)));
    } else {
      draw(options, map_of(options, record, shown, whole));
    }
    if (!options.json) fmt::print("{}\n", options.out.string());
  }
  return 0;
}

}  // namespace kvscope
