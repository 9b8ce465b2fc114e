#include "experiments/report/figures/chart_frame.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kvscope {
namespace {

constexpr double kMargin = 0.05;  // of the data's extent, on each side
const TextStyle kTickText{.size_px = 11, .colour = ink::kSoft};

bool is_placeable(double value, const ChartAxis& axis) {
  if (!std::isfinite(value)) return false;
  if (axis.scale == AxisScale::kLogarithmic && value <= 0) return false;
  return value >= axis.minimum.value_or(value) && value <= axis.maximum.value_or(value);
}

// Grows with the values it is shown.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void include(double value, const ChartAxis& axis) {
    if (!is_placeable(value, axis)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

AxisRange range_of(const Extent& extent, const ChartAxis& axis) {
  const bool logarithmic = axis.scale == AxisScale::kLogarithmic;
  double low = logarithmic ? std::log10(extent.low) : extent.low;
  double high = logarithmic ? std::log10(extent.high) : extent.high;
  const double spread = high - low;
  const double smallest = std::max(std::abs(high), std::abs(low)) * 1e-9;
  double margin = spread * kMargin;
  if (spread <= smallest) margin = logarithmic ? 0.2 : std::max(0.5, std::abs(high) * 0.1);
  low -= margin;
  high += margin;
  AxisRange range{logarithmic ? std::pow(10, low) : low, logarithmic ? std::pow(10, high) : high,
                  axis.scale};
  if (axis.minimum) range.minimum = *axis.minimum;
  if (axis.maximum) range.maximum = *axis.maximum;
  return range;
}

std::string axis_title(const ChartAxis& axis) {
  std::string title = axis.label;
  if (!axis.unit.empty()) title += " (" + axis.unit + ")";
  if (!axis.remark.empty()) title += (title.empty() ? "" : ", ") + axis.remark;
  return title;
}

/// With the remark where that fits into `width`, else without, and then as much as fits.
std::string fitted_title(const Canvas& canvas,
                         ChartAxis axis,
                         const TextStyle& style,
                         double width) {
  if (canvas.text_width(axis_title(axis), style) > width) axis.remark.clear();
  return canvas.wrapped(axis_title(axis), style, width, 1)[0];
}

int ticks_for(double pixels, double spacing) {
  return std::clamp(static_cast<int>(pixels / spacing), 2, 12);
}

}  // namespace

bool AxisRange::contains(double value) const {
  return std::isfinite(value) && value >= minimum && value <= maximum &&
         (scale == AxisScale::kLinear || value > 0);
}

double AxisRange::fraction(double value) const {
  if (scale == AxisScale::kLogarithmic) {
    return std::log(value / minimum) / std::log(maximum / minimum);
  }
  return (value - minimum) / (maximum - minimum);
}

double AxisRange::value(double fraction) const {
  if (scale == AxisScale::kLogarithmic) return minimum * std::pow(maximum / minimum, fraction);
  return minimum + fraction * (maximum - minimum);
}

Position ChartFrame::at(double x_value, double y_value) const {
  return {left + x.fraction(x_value) * width, bottom() - y.fraction(y_value) * height};
}

bool ChartFrame::contains(const ChartPoint& point) const {
  return x.contains(point.x) && y.contains(point.y);
}

std::optional<std::pair<AxisRange, AxisRange>> chart_ranges(const Chart& chart) {
  Extent x;
  Extent y;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (!is_placeable(point.x, chart.x) || !is_placeable(point.y, chart.y)) continue;
      x.include(point.x, chart.x);
      y.include(point.y, chart.y);
      if (point.has_error_bar()) {
        y.include(point.y_low, chart.y);
        y.include(point.y_high, chart.y);
      }
    }
  }
  if (x.low > x.high) return std::nullopt;
  for (const ReferenceLine& line : chart.references) {
    if (line.vertical) x.include(line.value, chart.x);
    if (!line.vertical) y.include(line.value, chart.y);
  }
  return std::pair{range_of(x, chart.x), range_of(y, chart.y)};
}

double y_label_width(const Canvas& canvas, const AxisRange& y, double height_px) {
  double widest = 0;
  for (const Tick& tick : axis_ticks(y.minimum, y.maximum, y.scale, ticks_for(height_px, 44))) {
    widest = std::max(widest, canvas.text_width(tick.label, kTickText));
  }
  return widest;
}

void draw_chart_frame(Canvas& canvas, const ChartFrame& frame, const Chart& chart) {
  const StrokeStyle grid{.colour = ink::kGrid, .width_px = 1, .dash_px = {}};
  const StrokeStyle axis{.colour = ink::kMuted, .width_px = 1, .dash_px = {}};
  const AxisRange& y = frame.y;
  for (const Tick& tick : axis_ticks(y.minimum, y.maximum, y.scale, ticks_for(frame.height, 44))) {
    const double at = frame.at(frame.x.minimum, tick.value).y;
    if (tick.label.empty()) {
      canvas.line({frame.left - 3, at}, {frame.left, at}, axis);
      continue;
    }
    canvas.line({frame.left, at}, {frame.right(), at}, grid);
    TextStyle style = kTickText;
    style.anchor = TextAnchor::kEnd;
    style.baseline = TextBaseline::kMiddle;
    canvas.text(tick.label, {frame.left - 8, at}, style);
  }
  const AxisRange& x = frame.x;
  for (const Tick& tick : axis_ticks(x.minimum, x.maximum, x.scale, ticks_for(frame.width, 85))) {
    const double at = frame.at(tick.value, frame.y.minimum).x;
    canvas.line({at, frame.bottom()}, {at, frame.bottom() + (tick.label.empty() ? 3 : 6)}, axis);
    TextStyle style = kTickText;
    style.anchor = TextAnchor::kMiddle;
    style.baseline = TextBaseline::kTop;
    canvas.text(tick.label, {at, frame.bottom() + 9}, style);
  }
  canvas.line({frame.left, frame.bottom()}, {frame.right(), frame.bottom()}, axis);
  TextStyle title{.size_px = 11.5, .colour = ink::kText};
  constexpr double kMargin = 6;
  const double right = canvas.width_px() - kMargin;
  canvas.text(fitted_title(canvas, chart.y, title, right - frame.left),
              {frame.left, frame.top - 12}, title);
  const std::string below = fitted_title(canvas, chart.x, title, right - kMargin);
  const double half = canvas.text_width(below, title) / 2;
  const double centre = std::clamp(frame.left + frame.width / 2, kMargin + half, right - half);
  title.anchor = TextAnchor::kMiddle;
  canvas.text(below, {centre, frame.bottom() + 42}, title);
}

}  // namespace kvscope
