#include "experiments/report/figures/heatmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "experiments/report/figures/chart_frame.h"

namespace kvscope {
namespace {

constexpr double kOuter = 20;
constexpr double kBarWidth = 14;
const TextStyle kTitle{.size_px = 15, .bold = true};
const TextStyle kSubtitle{.size_px = 11.5, .colour = ink::kSoft};
const TextStyle kLabel{.size_px = 10.5, .colour = ink::kSoft, .baseline = TextBaseline::kMiddle};
const TextStyle kAxis{.size_px = 11.5, .colour = ink::kText};

void check(const Heatmap& heatmap) {
  const size_t rows = heatmap.row_labels.size();
  const size_t columns = heatmap.column_labels.size();
  if (rows == 0 || columns == 0 || heatmap.values.size() != rows * columns) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("heat map '{}': {} values for {} row and {} column labels; expected rows x "
                    "columns values, both at least 1",
                    heatmap.title, heatmap.values.size(), rows, columns));
  }
  for (const HeatmapMark& mark : heatmap.marks) {
    if (mark.row >= 0 && mark.row < static_cast<int64_t>(rows) && mark.column >= 0 &&
        mark.column < static_cast<int64_t>(columns)) {
      continue;
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("heat map '{}': mark '{}' at row {}, column {} lies outside {} x {}",
                            heatmap.title, mark.text, mark.row, mark.column, rows, columns));
  }
}

bool has_value(double value, AxisScale scale) {
  return std::isfinite(value) && (scale == AxisScale::kLinear || value > 0);
}

AxisRange value_range(const Heatmap& heatmap) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : heatmap.values) {
    if (!has_value(value, heatmap.scale)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) low = high = 1;  // nothing to show: any range does
  low = heatmap.minimum.value_or(low);
  high = heatmap.maximum.value_or(high);
  if (!(low < high)) high = low + std::max(std::abs(low) * 1e-3, 1e-9);
  return {low, high, heatmap.scale};
}

// Wide enough to read, small enough that 64 layers fit on a screen.
double cell_size(size_t cells, double total, double smallest, double largest) {
  return std::clamp(std::floor(total / static_cast<double>(cells)), smallest, largest);
}

void draw_hatched(Canvas& canvas, Position corner, double width, double height) {
  canvas.fill_rectangle(corner, width, height, colour_of(0xF1F2F4));
  canvas.clip(corner, width, height);
  const StrokeStyle style{.colour = colour_of(0xC9CCD1), .width_px = 1, .dash_px = {}};
  for (double x = -height; x < width; x += 5) {
    canvas.line({corner.x + x, corner.y + height}, {corner.x + x + height, corner.y}, style);
  }
  canvas.unclip();
}

struct Grid {
  Position corner;
  double cell_width = 0;
  double cell_height = 0;
  double gap = 0;
};

void draw_cells(Canvas& canvas, const Heatmap& heatmap, const AxisRange& range, const Grid& grid) {
  const size_t columns = heatmap.column_labels.size();
  const auto corner_of = [&](size_t row, size_t column) {
    return Position{grid.corner.x + grid.cell_width * static_cast<double>(column),
                    grid.corner.y + grid.cell_height * static_cast<double>(row)};
  };
  for (size_t i = 0; i < heatmap.values.size(); ++i) {
    const Position corner = corner_of(i / columns, i % columns);
    const bool last_column = i % columns + 1 == columns;
    const bool last_row = i + columns >= heatmap.values.size();
    // Without a gap, cells overlap to the right and below, where the next cell covers them: no
    // seams.
    const double overlap = grid.gap > 0 ? 0 : 0.5;
    const double width = grid.cell_width - grid.gap + (last_column ? 0 : overlap);
    const double height = grid.cell_height - grid.gap + (last_row ? 0 : overlap);
    if (has_value(heatmap.values[i], heatmap.scale)) {
      canvas.fill_rectangle(corner, width, height, viridis(range.fraction(heatmap.values[i])));
    } else {
      draw_hatched(canvas, corner, width, height);
    }
  }
  for (const HeatmapMark& mark : heatmap.marks) {
    const Position corner =
        corner_of(static_cast<size_t>(mark.row), static_cast<size_t>(mark.column));
    const double value =
        heatmap.values[static_cast<size_t>(mark.row) * columns + static_cast<size_t>(mark.column)];
    TextStyle style{.size_px = std::clamp(grid.cell_height * 0.6, 6.0, 11.0),
                    .bold = true,
                    .anchor = TextAnchor::kMiddle,
                    .baseline = TextBaseline::kMiddle};
    if (has_value(value, heatmap.scale))
      style.colour = text_colour_on(viridis(range.fraction(value)));
    canvas.text(
        mark.text,
        {corner.x + (grid.cell_width - grid.gap) / 2, corner.y + (grid.cell_height - grid.gap) / 2},
        style);
  }
}

// How many cells one label needs; the first is always labelled.
size_t label_stride(double needed_px, double cell_px) {
  return std::max<size_t>(1, static_cast<size_t>(std::ceil(needed_px / cell_px)));
}

double widest(const Canvas& canvas, const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, canvas.text_width(label, kLabel));
  return width;
}

void draw_labels(Canvas& canvas, const Heatmap& heatmap, const Grid& grid, bool rotated) {
  const double label_width = widest(canvas, heatmap.column_labels);
  const size_t rows = heatmap.row_labels.size();
  const size_t columns = heatmap.column_labels.size();
  const size_t row_stride = label_stride(12, grid.cell_height);
  for (size_t r = 0; r < rows; r += row_stride) {
    TextStyle style = kLabel;
    style.anchor = TextAnchor::kEnd;
    const double y = grid.corner.y + grid.cell_height * (static_cast<double>(r) + 0.5);
    canvas.text(heatmap.row_labels[r], {grid.corner.x - 7, y}, style);
  }
  const size_t column_stride = label_stride(rotated ? 12 : label_width + 6, grid.cell_width);
  const double below = grid.corner.y + grid.cell_height * static_cast<double>(rows) + 11;
  for (size_t c = 0; c < columns; c += column_stride) {
    TextStyle style = kLabel;
    style.anchor = rotated ? TextAnchor::kEnd : TextAnchor::kMiddle;
    style.rotation_degrees = rotated ? 45 : 0;
    const double x = grid.corner.x + grid.cell_width * (static_cast<double>(c) + 0.5);
    canvas.text(heatmap.column_labels[c], {x, below}, style);
  }
}

/// The labelled ticks of a colour bar: round values, or both ends where there are not two of those.
std::vector<Tick> bar_ticks(const AxisRange& range, double height) {
  const int wanted = std::clamp(static_cast<int>(height / 38), 2, 8);
  std::vector<Tick> ticks = axis_ticks(range.minimum, range.maximum, range.scale, wanted);
  std::erase_if(ticks, [](const Tick& tick) { return tick.label.empty(); });
  if (ticks.size() > 1) return ticks;
  return {{range.minimum, fmt::format("{:.4g}", range.minimum)},
          {range.maximum, fmt::format("{:.4g}", range.maximum)}};
}

void draw_colour_bar(Canvas& canvas, const AxisRange& range, Position corner, double height) {
  const int steps = static_cast<int>(height);
  for (int i = 0; i < steps; ++i) {
    const double fraction = 1 - (i + 0.5) / steps;
    // Each strip reaches to the bottom and the next covers it: no seams between strips.
    canvas.fill_rectangle({corner.x, corner.y + i}, kBarWidth, height - i, viridis(fraction));
  }
  for (const Tick& tick : bar_ticks(range, height)) {
    const double y = corner.y + height * (1 - range.fraction(tick.value));
    canvas.line({corner.x + kBarWidth, y}, {corner.x + kBarWidth + 4, y},
                {.colour = ink::kMuted, .width_px = 1, .dash_px = {}});
    canvas.text(tick.label, {corner.x + kBarWidth + 8, y}, kLabel);
  }
}

}  // namespace

FigureInfo heatmap_info(const Heatmap& heatmap) {
  const AxisRange range = value_range(heatmap);
  return {
      heatmap.title,
      fmt::format("{} of {} {} rows by {} {} columns, from {:.4g} to {:.4g}", heatmap.value_label,
                  heatmap.row_labels.size(), heatmap.row_axis, heatmap.column_labels.size(),
                  heatmap.column_axis, range.minimum, range.maximum),
      heatmap.provenance};
}

Canvas draw_heatmap(const Heatmap& heatmap) {
  check(heatmap);
  const Canvas ruler(1, 1);
  const AxisRange range = value_range(heatmap);
  const size_t rows = heatmap.row_labels.size();
  const size_t columns = heatmap.column_labels.size();
  Grid grid;
  grid.cell_width = cell_size(columns, 560, 3, 44);
  grid.cell_height = cell_size(rows, 560, 3, 24);
  grid.gap = std::min(grid.cell_width, grid.cell_height) >= 8 ? 1 : 0;
  const double map_width = grid.cell_width * static_cast<double>(columns);
  const double map_height = grid.cell_height * static_cast<double>(rows);

  const double label_width = widest(ruler, heatmap.column_labels);
  const bool rotated = label_width + 6 > grid.cell_width && label_width > 30;
  const double labels_below = rotated ? 16 + label_width * 0.71 : 22;

  double value_width = 0;
  for (const Tick& tick : bar_ticks(range, map_height - grid.gap)) {
    value_width = std::max(value_width, ruler.text_width(tick.label, kLabel));
  }
  grid.corner.x = kOuter + widest(ruler, heatmap.row_labels) + 9;
  const double map_right = grid.corner.x + map_width;
  const double bar_right = map_right + 26 + kBarWidth + 8 + value_width;
  const double label_right = map_right + 26 + ruler.text_width(heatmap.value_label, kAxis);
  const double title_right = kOuter + ruler.text_width(heatmap.title, kTitle);
  const double width =
      std::max({bar_right, label_right, std::min(title_right, 700.0), 420.0}) + kOuter;

  double top = kOuter;
  const std::string title = ruler.wrapped(heatmap.title, kTitle, width - 2 * kOuter, 1)[0];
  if (!heatmap.title.empty()) top += 24;
  std::vector<std::string> subtitle;
  const auto add_lines = [&](const std::string& text) {
    if (text.empty()) return;
    for (std::string& line : ruler.wrapped(text, kSubtitle, width - 2 * kOuter, 4)) {
      subtitle.push_back(std::move(line));
    }
  };
  add_lines(heatmap.subtitle);
  add_lines(heatmap.marks_note);
  const double subtitle_y = top + 10;
  top += 17 * static_cast<double>(subtitle.size()) + 26;
  grid.corner.y = top;

  Canvas canvas(width, top + map_height + labels_below + 22 + kOuter);
  canvas.text(title, {kOuter, kOuter + 14}, kTitle);
  for (size_t i = 0; i < subtitle.size(); ++i) {
    canvas.text(subtitle[i], {kOuter, subtitle_y + 17 * static_cast<double>(i)}, kSubtitle);
  }
  draw_cells(canvas, heatmap, range, grid);
  draw_labels(canvas, heatmap, grid, rotated);
  TextStyle axis = kAxis;
  canvas.text(heatmap.row_axis, {kOuter, top - 9}, axis);
  canvas.text(heatmap.value_label, {map_right + 26, top - 9}, axis);
  axis.anchor = TextAnchor::kMiddle;
  canvas.text(heatmap.column_axis,
              {grid.corner.x + map_width / 2, top + map_height + labels_below + 16}, axis);
  draw_colour_bar(canvas, range, {map_right + 26, top}, map_height - grid.gap);
  return canvas;
}

}  // namespace kvscope
